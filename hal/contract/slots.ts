/** What every `Slots` must do. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { type Slots, slotNames } from '#hal/ports/slots';

/** @param distinct two slots on two media. @param swapped two names of one medium */
export const slotsContract = (name: string, distinct: () => Slots, swapped: () => Slots): void => {
  describe(`Slots: ${name}`, () => {
    test('tells media apart by themselves, not by their names', async () => {
      const [a, b] = await Promise.all(slotNames.map(async (slot) => unwrap(await distinct().open(slot, 'read'))));
      const [one, same] = await Promise.all(slotNames.map(async (slot) => unwrap(await swapped().open(slot, 'read'))));
      expect(a?.deviceId).not.toBe(b?.deviceId);
      expect(one?.deviceId).toBe(same?.deviceId);
      for (const device of [a, b, one, same]) await device?.close();
    });

    test('gives the same medium at every opening', async () => {
      const slots = distinct();
      const first = unwrap(await slots.open('b', 'write'));
      unwrap(await first.write(0, utf8('kept')));
      unwrap(await first.flush());
      await first.close();
      const second = unwrap(await slots.open('b', 'read'));
      expect(second.deviceId).toBe(first.deviceId);
      expect(Buffer.from(unwrap(await second.read(0, 4))).toString()).toBe('kept');
      await second.close();
    });
  });
};
