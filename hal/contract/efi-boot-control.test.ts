/**
 * `BootControl` over UEFI variables, with a firmware and a first root that do what OVMF and ours were seen to do
 * (`sim/qemu/*.machine.test.ts` has the real ones).
 */

import { describe, expect, test } from 'vitest';
import { u16le, utf8 } from '#hal/core/bytes';
import { bootVariable, decodeBootOrder, encodeBootOrder } from '#hal/core/efi-load-option';
import { globalVendor } from '#hal/core/guid';
import { deny, done, ok, unwrap } from '#hal/core/result';
import { efiBootControl, entryNumbers, readTrial, trialVariable } from '#hal/linux/efi-boot-control';
import { memoryEfiVariables } from '#hal/memory/efi-variables';
import { type SlotName, slotNames } from '#hal/ports/slots';
import { type BootMachine, bootControlClauses } from './boot-control.ts';
import { testClauses } from './clauses-test.ts';

const place = (number: number) => ({
  number,
  startSector: 2048 * number,
  sectors: 2048,
  uuid: `0000000${number}-0000-4000-8000-000000000000`,
});

interface Firmware extends BootMachine {
  readonly variables: ReturnType<typeof memoryEfiVariables>;
  /** Does not come to its first root: the firmware loads it and it hangs. */
  hangs?: SlotName;
}

const machine = async (order: readonly number[], deletesEntries = false): Promise<Firmware> => {
  const variables = memoryEfiVariables(new Map());
  let running: SlotName = 'a';
  await variables.write('BootOrder', globalVendor, encodeBootOrder(order));
  for (const slot of slotNames) await variables.write(bootVariable(entryNumbers[slot]), globalVendor, utf8('entry'));
  const control = efiBootControl({
    variables,
    partitions: { a: place(2), b: place(3) },
    path: '\\EFI\\BOOT\\BOOTX64.EFI',
    running: async () => ok({ slot: running, verityRoot: new Uint8Array(32) }),
    startEnded: async () => done,
  });
  const isThere = (number: number) => unwrap(variables.read(bootVariable(number), globalVendor)) !== undefined;
  const start = async (): Promise<SlotName | undefined> => {
    const next = unwrap(variables.read('BootNext', globalVendor));
    await variables.remove('BootNext', globalVendor);
    const ordered = decodeBootOrder(unwrap(variables.read('BootOrder', globalVendor)) ?? new Uint8Array());
    const numbers = [...(next === undefined ? [] : decodeBootOrder(next)), ...ordered];
    return numbers.filter(isThere).flatMap((number) => slotNames.filter((slot) => entryNumbers[slot] === number))[0];
  };
  const firmware: Firmware = {
    control,
    variables,
    async restart() {
      const slot = await start();
      if (slot === undefined) return deny('unavailable', 'storage-failed', 'no slot starts');
      if (firmware.hangs === slot) {
        if (deletesEntries) await variables.remove(bootVariable(entryNumbers[slot]), globalVendor);
        return firmware.restart();
      }
      running = slot;
      const trial = unwrap(readTrial(variables));
      if (trial?.slot === slot && trial.triesLeft > 0) {
        const triesLeft = trial.triesLeft - 1;
        await variables.write(trialVariable.name, trialVariable.vendor, utf8(`${slot}${triesLeft}`));
        if (triesLeft > 0) await variables.write('BootNext', globalVendor, u16le(entryNumbers[slot]));
      }
      return ok(slot);
    },
  };
  return firmware;
};

const { a, b, recovery } = entryNumbers;
testClauses('BootControl: UEFI variables', bootControlClauses, () => machine([a, recovery]));

describe('boot entries', () => {
  const orderOf = ({ variables }: Firmware) =>
    decodeBootOrder(unwrap(variables.read('BootOrder', globalVendor)) ?? new Uint8Array());

  test('of the firmware are kept behind ours', async () => {
    const firmware = await machine([0x00, a, 0x01, b, recovery]);
    unwrap(await firmware.control.commit('b'));
    expect(orderOf(firmware)).toEqual([b, a, recovery, 0x00, 0x01]);
  });

  test('that firmware deleted are written again before anything points to them', async () => {
    const firmware = await machine([a, recovery], true);
    unwrap(await firmware.control.armTrial('b', 1));
    firmware.hangs = 'b';
    expect(unwrap(await firmware.restart())).toBe('a');
    expect(unwrap(firmware.variables.read(bootVariable(b), globalVendor))).toBeUndefined();
    delete firmware.hangs;
    unwrap(await firmware.control.armTrial('b', 1));
    expect(unwrap(await firmware.restart())).toBe('b');
  });

  test('that stand as they should are not written again: the store of firmware wears out', async () => {
    const firmware = await machine([a, b, recovery]);
    const before = unwrap(firmware.variables.read('BootOrder', globalVendor));
    unwrap(await firmware.control.markFallback('b'));
    expect(unwrap(firmware.variables.read('BootOrder', globalVendor))).toBe(before);
  });

  test('wait for the guard of this start, which would take a trial with it', async () => {
    const variables = memoryEfiVariables(new Map());
    const control = efiBootControl({
      ...{ variables, partitions: { a: place(2), b: place(3) }, path: '\\X' },
      running: async () => ok({ slot: 'a', verityRoot: new Uint8Array(32) }),
      startEnded: async () => deny('unavailable', 'aborted'),
    });
    expect((await control.armTrial('b', 1)).ok).toBe(false);
    expect(unwrap(variables.read('BootNext', globalVendor))).toBeUndefined();
  });
});

test('a variable of ours that somebody else wrote is no trial', () => {
  for (const text of ['', 'c1', 'b8', 'b', '2b']) {
    const variables = memoryEfiVariables(new Map([[`${trialVariable.name}-${trialVariable.vendor}`, utf8(text)]]));
    expect(unwrap(readTrial(variables))).toBeUndefined();
  }
});
