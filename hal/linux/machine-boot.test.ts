import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { bootPath, encodeLoadOption, utf16 } from '#hal/core/efi-load-option';
import { globalVendor } from '#hal/core/guid';
import { codeOf, unwrap } from '#hal/core/result';
import { memoryEfiVariables } from '#hal/memory/efi-variables';
import { linuxClock } from './clock.ts';
import { loaderVendor, machineBootControl, machinePartitions, runningSlot } from './machine-boot.ts';

const folder = mkdtempSync(join(tmpdir(), 'enigm-boot-'));
afterAll(() => rmSync(folder, { recursive: true }));
const uuids = { a: '656e6967-6d00-4000-8000-000000000002', b: '656e6967-6d00-4000-8000-000000000003' };
const verity = '5a'.repeat(32);

const kernel = (
  name: string,
  words = `quiet enigm.verity=${verity} enigm.blocks=20925 enigm.a=${uuids.a} enigm.b=${uuids.b}`,
) => {
  const places = { commandLine: join(folder, `${name}.cmdline`), blocks: join(folder, name) };
  writeFileSync(places.commandLine, `${words}\n`);
  for (const [block, facts, start] of [
    ['vda', 'DEVTYPE=disk', 0],
    ['vda2', 'DEVTYPE=partition\nPARTN=2\nPARTNAME=esp-a', 100_352],
    ['vda3', 'DEVTYPE=partition\nPARTN=3\nPARTNAME=esp-b', 198_656],
    ['vda4', 'DEVTYPE=partition\nPARTN=4\nPARTNAME=root-a', 296_960],
    ['vda5', 'DEVTYPE=partition\nPARTN=5\nPARTNAME=root-b', 690_176],
    ['vda6', 'DEVTYPE=partition\nPARTN=6\nPARTNAME=ledger', 1_083_392],
  ] as const) {
    mkdirSync(join(places.blocks, block), { recursive: true });
    writeFileSync(join(places.blocks, block, 'uevent'), `MAJOR=254\n${facts}\n`);
    writeFileSync(join(places.blocks, block, 'start'), `${start}\n`);
    writeFileSync(join(places.blocks, block, 'size'), '98304\n');
  }
  return places;
};
const startedFrom = (uuid: string) => memoryEfiVariables(new Map([[`LoaderDevicePartUUID-${loaderVendor}`, utf16(uuid)]]));

test('the slot that runs is the partition that the stub names, and the root that the command line names', () => {
  const running = unwrap(runningSlot(startedFrom(uuids.b.toUpperCase()), kernel('running')));
  expect(running.slot).toBe('b');
  expect(toHex(running.verityRoot)).toBe(verity);
  expect(running.blocks).toBe(20_925);
});

test.each([
  ['another partition', '656e6967-6d00-4000-8000-000000000001', undefined],
  ['nobody', '', undefined],
  ['a command line without a root', uuids.a, `enigm.a=${uuids.a} enigm.b=${uuids.b}`],
])('that was started from %s is no slot', (_, uuid, words) => {
  const running = runningSlot(startedFrom(uuid), kernel('nowhere', words));
  expect(running.ok || codeOf(running.fault)).toBe('unavailable/not-supported');
});

test('a boot entry names the partition as the kernel shows it', async () => {
  const variables = startedFrom(uuids.a);
  const startEndedPath = join(folder, 'ended');
  writeFileSync(startEndedPath, '');
  const control = unwrap(machineBootControl({ variables, clock: linuxClock(), startEndedPath, places: kernel('entries') }));
  unwrap(await control.markFallback('b'));
  const partition = { number: 3, startSector: 198_656, sectors: 98_304, uuid: uuids.b };
  const option = encodeLoadOption({ title: 'Enigm OS, slot B', partition, path: bootPath });
  expect(unwrap(variables.read('Boot0011', globalVendor))).toEqual(option);
});

test('the slots and what is known of them lie on partitions of these names', () => {
  expect(unwrap(machinePartitions(kernel('partitions')))).toMatchObject({
    a: { boot: '/dev/vda2', root: '/dev/vda4' },
    b: { boot: '/dev/vda3', root: '/dev/vda5' },
    ledger: '/dev/vda6',
  });
});

test('a machine without our partitions has no boot control', () => {
  const places = { ...kernel('bare'), blocks: join(folder, 'bare', 'vda') };
  const control = machineBootControl({ variables: startedFrom(uuids.a), clock: linuxClock(), startEndedPath: '', places });
  expect(control.ok || codeOf(control.fault)).toBe('unavailable/not-supported');
});
