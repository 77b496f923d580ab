/**
 * `BootControl` over the variables of UEFI firmware (UEFI 2.10 §3.1): `BootOrder` says which slots are good and which one is
 * preferred, `BootNext` starts a trial once, and the firmware forgets it before it starts it.
 *
 * Tries are counted by the first root of the slot that starts (`sim/image/guest/initrd.sh`), in a variable of ours; a start
 * that did not come that far is counted by the next one that did. Some firmware deletes entries that it could not
 * start (RAUC issue 1701), so the entry of a slot is written again before anything points to it.
 */

import { u16le, utf8 } from '#hal/core/bytes';
import { bootVariable, decodeBootOrder, type EntryPartition, encodeBootOrder, encodeLoadOption } from '#hal/core/efi-load-option';
import { globalVendor } from '#hal/core/guid';
import { deny, done, ok, type Result } from '#hal/core/result';
import { type BootControl, type BootSlot, maxTries, type RunningSlot } from '#hal/ports/boot-control';
import { otherSlot, type SlotName, slotNames } from '#hal/ports/slots';
import type { EfiVariables } from './efi-variables.ts';

/** `bN`: the trial of slot b has N tries left. */
export const trialVariable = { name: 'EnigmTrial', vendor: '656e6967-6d00-4000-a000-000000000001' } as const;

/** Numbers of our entries; what firmware adds has others. */
export const entryNumbers: Readonly<Record<SlotName | 'recovery', number>> = { a: 0x10, b: 0x11, recovery: 0x12 };

export interface EfiBootOptions {
  readonly variables: EfiVariables;
  /** Where the boot image of each slot is. */
  readonly partitions: Readonly<Record<SlotName, EntryPartition>>;
  /** Of the boot image on its partition. */
  readonly path: string;
  readonly running: () => Promise<Result<RunningSlot>>;
  /** Resolves once the guard of this start is gone, which would take a trial with it. @see endStart */
  readonly startEnded: () => Promise<Result<void>>;
}

interface Trial {
  readonly slot: SlotName;
  readonly triesLeft: number;
}

export const efiBootControl = ({ variables, partitions, path, running, startEnded }: EfiBootOptions): BootControl => {
  const order = (): Result<readonly number[]> => {
    const bytes = variables.read('BootOrder', globalVendor);
    return bytes.ok ? ok(decodeBootOrder(bytes.value ?? new Uint8Array())) : bytes;
  };
  const next = (): Result<number | undefined> => {
    const bytes = variables.read('BootNext', globalVendor);
    return bytes.ok ? ok(bytes.value === undefined ? undefined : decodeBootOrder(bytes.value)[0]) : bytes;
  };
  const trial = (): Result<Trial | undefined> => readTrial(variables);

  /** Ours first, in this order, then recovery, then whatever the firmware put there. */
  const writeOrder = async (slots: readonly SlotName[]): Promise<Result<void>> => {
    const present = order();
    if (!present.ok) return present;
    const ours = Object.values(entryNumbers);
    const foreign = present.value.filter((number) => !ours.includes(number));
    const wanted = encodeBootOrder([...slots.map((slot) => entryNumbers[slot]), entryNumbers.recovery, ...foreign]);
    return Buffer.compare(wanted, encodeBootOrder(present.value)) === 0
      ? done
      : variables.write('BootOrder', globalVendor, wanted);
  };
  const writeEntry = (slot: SlotName): Promise<Result<void>> => {
    const title = `Enigm OS, slot ${slot.toUpperCase()}`;
    const option = encodeLoadOption({ title, partition: partitions[slot], path });
    return variables.write(bootVariable(entryNumbers[slot]), globalVendor, option);
  };
  const forgetTrial = async (slot: SlotName): Promise<Result<void>> => {
    const pending = trial();
    if (!pending.ok || pending.value?.slot !== slot) return pending.ok ? done : pending;
    const pointed = next();
    if (!pointed.ok) return pointed;
    return inTurn(
      async () => (pointed.value === entryNumbers[slot] ? variables.remove('BootNext', globalVendor) : done),
      () => variables.remove(trialVariable.name, trialVariable.vendor),
    );
  };
  const goodSlots = (): Result<readonly SlotName[]> => {
    const present = order();
    return present.ok ? ok(slotsIn(present.value)) : present;
  };
  /** @param place where the slot stands among the good ones */
  const makeGood = async (slot: SlotName, place: 'first' | 'last'): Promise<Result<void>> => {
    const present = goodSlots();
    if (!present.ok) return present;
    const others = present.value.filter((name) => name !== slot);
    return inTurn(
      () => writeEntry(slot),
      () => writeOrder(place === 'first' ? [slot, ...others] : [...others, slot]),
      () => forgetTrial(slot),
    );
  };

  return {
    async read() {
      const measured = await running();
      if (!measured.ok) return measured;
      const [good, pending] = [goodSlots(), trial()];
      if (!good.ok) return good;
      if (!pending.ok) return pending;
      const slotOf = (slot: SlotName): BootSlot => {
        if (pending.value?.slot === slot) return { state: 'trial', triesLeft: pending.value.triesLeft };
        return { state: good.value.includes(slot) ? 'good' : 'unbootable', triesLeft: 0 };
      };
      const slots = { a: slotOf('a'), b: slotOf('b') };
      return ok({ running: measured.value, preferred: good.value[0] ?? measured.value.slot, slots });
    },
    markUnbootable: (slot) =>
      inTurn(
        startEnded,
        () => forgetTrial(slot),
        async () => {
          const good = goodSlots();
          return good.ok ? writeOrder(good.value.filter((name) => name !== slot)) : good;
        },
      ),
    async armTrial(slot, tries) {
      if (!(Number.isInteger(tries) && tries >= 1 && tries <= maxTries))
        return deny('protocol', 'field-invalid', `${tries} tries`);
      return inTurn(
        startEnded,
        () => writeEntry(slot),
        async () => {
          const good = goodSlots();
          return good.ok ? writeOrder(good.value.filter((name) => name !== slot)) : good;
        },
        () => variables.write(trialVariable.name, trialVariable.vendor, utf8(`${slot}${tries}`)),
        () => variables.write('BootNext', globalVendor, u16le(entryNumbers[slot])),
      );
    },
    commit: (slot) => inTurn(startEnded, () => makeGood(slot, 'first')),
    async markFallback(slot) {
      const good = goodSlots();
      if (!good.ok) return good;
      const other = otherSlot(slot);
      return inTurn(
        startEnded,
        () => makeGood(slot, 'last'),
        () => (good.value.includes(other) ? writeOrder([other, slot]) : Promise.resolve(done)),
      );
    },
  };
};

/** Undefined where nothing is on trial, or what is written is not ours. */
export const readTrial = (variables: EfiVariables): Result<Trial | undefined> => {
  const bytes = variables.read(trialVariable.name, trialVariable.vendor);
  if (!bytes.ok) return bytes;
  const [slot, tries] = Buffer.from(bytes.value ?? new Uint8Array()).toString('latin1');
  const name = slotNames.find((candidate) => candidate === slot);
  return ok(name === undefined || !/^[0-7]$/.test(tries ?? '') ? undefined : { slot: name, triesLeft: Number(tries) });
};

const slotsIn = (numbers: readonly number[]): readonly SlotName[] =>
  numbers.flatMap((number) => slotNames.filter((slot) => entryNumbers[slot] === number));

/** One after the other, to the first that fails. */
const inTurn = async (...steps: readonly (() => Promise<Result<void>>)[]): Promise<Result<void>> => {
  for (const step of steps) {
    const taken = await step();
    if (!taken.ok) return taken;
  }
  return done;
};
