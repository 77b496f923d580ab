/** What every `Slots` must do. */
import { utf8 } from '#hal/core/bytes';
import { type Slots, slotNames } from '#hal/ports/slots';
import { type Clause, demand, granted } from './clause.ts';

/** What a clause writes and reads is in the first bytes of slot b. */
export interface SlotPair {
  /** Two slots on two media. */
  readonly distinct: Slots;
  /** Two names of one medium. */
  readonly swapped: Slots;
}

export const slotsClauses: readonly Clause<SlotPair>[] = [
  {
    says: 'tells media apart by themselves, not by their names',
    async check(start) {
      const { distinct, swapped } = await start();
      const opened = (slots: Slots) =>
        Promise.all(slotNames.map(async (slot) => granted(`open('${slot}', 'read')`, await slots.open(slot, 'read'))));
      const [a, b] = await opened(distinct);
      const [one, other] = await opened(swapped);
      demand(a?.deviceId !== b?.deviceId, `two media have one deviceId, ${a?.deviceId}; it has to be another for each`);
      demand(
        one?.deviceId === other?.deviceId,
        `one medium under two names has two deviceIds, ${one?.deviceId} and ${other?.deviceId}; it has to be the same one`,
      );
      for (const device of [a, b, one, other]) await device?.close();
    },
  },
  {
    says: 'gives the same medium at every opening',
    async check(start) {
      const { distinct } = await start();
      const first = granted("open('b', 'write')", await distinct.open('b', 'write'));
      granted('write(0, …)', await first.write(0, utf8('kept')));
      granted('flush()', await first.flush());
      await first.close();
      const second = granted("open('b', 'read')", await distinct.open('b', 'read'));
      demand(second.deviceId === first.deviceId, 'slot b has another deviceId at its second opening; it has to keep it');
      const read = Buffer.from(granted('read(0, 4)', await second.read(0, 4))).toString();
      demand(read === 'kept', 'slot b does not have what was written and flushed at its first opening; it has to');
      await second.close();
    },
  },
];
