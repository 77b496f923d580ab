/** What every `BootControl` must do, and what the boot loader behind it must. */
import type { Result } from '#hal/core/result';
import { type BootControl, type BootState, maxTries } from '#hal/ports/boot-control';
import type { SlotName } from '#hal/ports/slots';
import { type Clause, demand, granted, refused, same } from './clause.ts';

/** A machine as it leaves the factory: slot a is good, preferred and runs; slot b is unbootable. */
export interface BootMachine {
  readonly control: BootControl;
  /** The machine starts again. @returns the slot that the boot loader chose */
  restart(): Promise<Result<SlotName>>;
}

export const bootControlClauses: readonly Clause<BootMachine>[] = [
  {
    says: 'says what runs and what each slot is',
    async check(start) {
      const { running, preferred, slots } = await stateOf(await start(), 'a new machine');
      same('running.slot of a new machine', running?.slot, 'a');
      same('preferred of a new machine', preferred, 'a');
      same('slot a of a new machine', shape(slots?.a), 'good');
      same('slot b of a new machine', shape(slots?.b), 'unbootable');
      const root: unknown = running.verityRoot;
      demand(
        root instanceof Uint8Array && root.length === 32,
        'running.verityRoot is not 32 bytes; it has to be the root hash that dm-verity opened the running file system with',
      );
    },
  },
  {
    says: 'a trial comes first, each start costs one try, and only the trial loses tries',
    async check(start) {
      const machine = await start();
      await order(machine, 'armTrial', 'b', 2);
      for (const triesLeft of [1, 0]) {
        const when = `start ${2 - triesLeft} after armTrial('b', 2)`;
        same(`the slot of ${when}`, granted(`restart() for ${when}`, await machine.restart()), 'b');
        const { running, slots } = await stateOf(machine, when);
        same(`running.slot in ${when}`, running.slot, 'b');
        same(`slot b in ${when}`, shape(slots.b), `trial, ${triesLeft} left`);
      }
      const when = 'the start after the last try';
      same(`the slot of ${when}`, granted(`restart() for ${when}`, await machine.restart()), 'a');
      const { running, slots } = await stateOf(machine, when);
      same(`running.slot in ${when}`, running.slot, 'a');
      same(`slot a in ${when}`, shape(slots.a), 'good');
      same(`slot b in ${when}`, shape(slots.b), 'trial, 0 left');
    },
  },
  {
    says: 'a committed slot comes first for good; the other stays startable',
    async check(start) {
      const machine = await start();
      await order(machine, 'armTrial', 'b', 1);
      same("the slot of the start after armTrial('b', 1)", granted('restart()', await machine.restart()), 'b');
      await order(machine, 'commit', 'b');
      for (let count = 1; count <= 3; count += 1)
        same(`the slot of start ${count} after commit('b')`, granted('restart()', await machine.restart()), 'b');
      const { preferred, slots } = await stateOf(machine, "commit('b')");
      same("preferred after commit('b')", preferred, 'b');
      same("slot a after commit('b')", shape(slots.a), 'good');
      same("slot b after commit('b')", shape(slots.b), 'good');
      await order(machine, 'markUnbootable', 'b');
      same("the slot of the start after markUnbootable('b')", granted('restart()', await machine.restart()), 'a');
    },
  },
  {
    says: 'a fallback is startable and does not come first',
    async check(start) {
      const machine = await start();
      await order(machine, 'markFallback', 'b');
      same("the slot of the start after markFallback('b')", granted('restart()', await machine.restart()), 'a');
      const { preferred, slots } = await stateOf(machine, "markFallback('b')");
      same("preferred after markFallback('b')", preferred, 'a');
      same("slot b after markFallback('b')", shape(slots.b), 'good');
    },
  },
  {
    says: 'every order may be repeated',
    async check(start) {
      const machine = await start();
      for (const [verb, ...words] of [['armTrial', 3], ['markUnbootable'], ['markFallback'], ['commit']] as const) {
        await order(machine, verb, 'b', ...words);
        const once = await stateOf(machine, verb);
        await order(machine, verb, 'b', ...words);
        same(`the state after ${verb}('b') for the second time`, summary(await stateOf(machine, verb)), summary(once));
      }
    },
  },
  {
    says: `refuses tries that are no whole number from 1 to ${maxTries}, and changes nothing`,
    async check(start) {
      const machine = await start();
      for (const tries of [0, maxTries + 1, 1.5, -1, Number.NaN]) {
        refused(`armTrial('b', ${tries})`, await machine.control.armTrial('b', tries), 'protocol/field-invalid');
        const { slots } = await stateOf(machine, `armTrial('b', ${tries})`);
        same(`slot b after the refused armTrial('b', ${tries})`, shape(slots.b), 'unbootable');
      }
    },
  },
];

/** @param tries of a trial alone */
const order = async (
  { control }: BootMachine,
  verb: Exclude<keyof BootControl, 'read'>,
  slot: SlotName,
  tries = 1,
): Promise<void> =>
  granted(verb === 'armTrial' ? `${verb}('${slot}', ${tries})` : `${verb}('${slot}')`, await control[verb](slot, tries));

const stateOf = async ({ control }: BootMachine, when: string): Promise<BootState> =>
  granted(`read() after ${when}`, await control.read());

const shape = (slot: { readonly state: string; readonly triesLeft: number } | undefined): string | undefined =>
  slot === undefined
    ? undefined
    : `${slot.state}${slot.state === 'trial' || slot.triesLeft !== 0 ? `, ${slot.triesLeft} left` : ''}`;

const summary = ({ preferred, slots }: BootState): string => `preferred ${preferred}, a ${shape(slots.a)}, b ${shape(slots.b)}`;
