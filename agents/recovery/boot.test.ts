import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { decodeBootOrder, encodeBootOrder } from '#hal/core/efi-load-option';
import { globalVendor } from '#hal/core/guid';
import { done, ok, unwrap } from '#hal/core/result';
import { begunVariable } from '#hal/linux/boot-guard';
import { efiBootControl, entryNumbers, trialVariable } from '#hal/linux/efi-boot-control';
import { memoryEfiVariables } from '#hal/memory/efi-variables';
import { recoveryBoot } from './boot.ts';

const { a, b, recovery } = entryNumbers;
const place = (number: number) => ({ number, startSector: 0, sectors: 1, uuid: `0000000${number}-0000-4000-8000-000000000000` });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'enigm-recovery-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** @param order what the firmware has. @param trial as the first root counts it */
const booted = async (order: readonly number[], trial?: string) => {
  const variables = memoryEfiVariables(new Map());
  unwrap(await variables.write('BootOrder', globalVendor, encodeBootOrder(order)));
  unwrap(await variables.write(begunVariable.name, begunVariable.vendor, utf8('aab')));
  if (trial !== undefined) unwrap(await variables.write(trialVariable.name, trialVariable.vendor, utf8(trial)));
  const control = unwrap(
    await recoveryBoot({
      ...{ variables, startEndedPath: join(folder, 'start-ended') },
      controlOf: (slot) =>
        ok(
          efiBootControl({
            ...{ variables, partitions: { a: place(2), b: place(3) }, path: '\\X' },
            running: async () => ok({ slot, verityRoot: new Uint8Array(32) }),
            startEnded: async () => done,
          }),
        ),
    }),
  );
  const { running, slots } = unwrap(await control.read());
  const numbersIn = (name: string) => decodeBootOrder(unwrap(variables.read(name, globalVendor)) ?? new Uint8Array());
  return {
    kept: running.slot,
    states: [slots.a.state, slots.b.state],
    tries: slots.a.triesLeft + slots.b.triesLeft,
    order: numbersIn('BootOrder'),
    next: numbersIn('BootNext'),
    isGuarded: unwrap(variables.read(begunVariable.name, begunVariable.vendor)) !== undefined,
  };
};

test.each([
  ['the first of the good ones', [b, a, recovery], 'b'],
  ['the only good one', [b, recovery, 7], 'b'],
])('keeps %s, and forgets which slots began to start', async (_, order, kept) => {
  expect(await booted(order)).toMatchObject({ kept, order, next: [], isGuarded: false });
});

test('gives firmware an order again that names no slot: what is kept may start', async () => {
  expect(await booted([recovery, 7])).toMatchObject({ kept: 'a', order: [a, recovery, 7], states: ['good', 'unbootable'] });
});

test('lets a trial go on that has tries left, and each time it has one less', async () => {
  expect(await booted([a, recovery], 'b3')).toMatchObject({ kept: 'a', next: [b], tries: 2 });
  rmSync(join(folder, 'start-ended'));
  expect(await booted([a, recovery], 'b1')).toMatchObject({ kept: 'a', next: [], tries: 0 });
});

test('does not keep the slot that is on trial, where the firmware names none', async () => {
  expect(await booted([recovery], 'a3')).toMatchObject({ kept: 'b', next: [a], order: [b, recovery], states: ['trial', 'good'] });
});
