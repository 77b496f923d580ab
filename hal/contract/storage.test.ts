/** The ports of the A/B slots over every adapter at hand. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { blockDeviceClauses, contractDeviceBytes } from '#hal/contract/block-device';
import { type BootMachine, bootControlClauses } from '#hal/contract/boot-control';
import { testClauses } from '#hal/contract/clauses-test';
import { slotsClauses } from '#hal/contract/slots';
import { type BootRecord, bootRecordStore, recordedBootControl } from '#hal/core/boot-record';
import { pageMemory } from '#hal/core/page-memory';
import { ok, unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { linuxBlockDevice, linuxSlots, storageFailed } from '#hal/linux/block-device';
import { headBytes, machineSlots } from '#hal/linux/machine-slots';
import { memoryBlockDevice, memorySlots } from '#hal/memory/block-device';
import { chooseSlot } from '#hal/memory/boot-loader';
import type { BlockDevice } from '#hal/ports/block-device';
import type { SlotDevice, SlotName } from '#hal/ports/slots';

const directory = mkdtempSync(join(tmpdir(), 'enigm-storage-'));
const opened: SlotDevice[] = [];
afterAll(async () => {
  for (const device of opened) await device.close();
  rmSync(directory, { recursive: true });
});
let files = 0;
const newFile = (sizeBytes: number): string => {
  const path = join(directory, `medium-${files++}`);
  writeFileSync(path, '');
  truncateSync(path, sizeBytes);
  return path;
};

const file = newFile(contractDeviceBytes);
testClauses('BlockDevice: linux file', blockDeviceClauses, async () => {
  const device = unwrap(await linuxBlockDevice(file, 'write'));
  return { device, close: () => device.close() };
});
const medium = memoryBlockDevice(contractDeviceBytes);
testClauses('BlockDevice: memory', blockDeviceClauses, async () => ({ device: medium, close: async () => undefined }));
const parts = { boot: newFile(2 * 1024 * 1024 + 512), root: newFile(1024 * 1024) };
testClauses('BlockDevice: boot and root partition of a slot', blockDeviceClauses, async () => {
  const device = unwrap(await machineSlots({ a: parts, b: parts }).open('a', 'write'));
  return { device, close: () => device.close() };
});

const factory: BootRecord = {
  preferred: 'a',
  slots: { a: { state: 'good', triesLeft: 0 }, b: { state: 'unbootable', triesLeft: 0 } },
};
const machine = async (device: BlockDevice): Promise<BootMachine> => {
  const store = bootRecordStore(device);
  unwrap(await store.write(factory));
  let running: SlotName = 'a';
  return {
    control: recordedBootControl(store, async () => ok({ slot: running, verityRoot: new Uint8Array(32) })),
    async restart() {
      const chosen = await chooseSlot(store);
      if (chosen.ok) running = chosen.value;
      return chosen;
    },
  };
};
testClauses('BootControl: record in memory', bootControlClauses, () => machine(memoryBlockDevice(twinRecordBytes)));
testClauses('BootControl: record in a file', bootControlClauses, async () => {
  const device = unwrap(await linuxBlockDevice(newFile(twinRecordBytes), 'write'));
  opened.push(device);
  return machine(device);
});

const paths = { a: newFile(8192), b: newFile(8192) };
testClauses('Slots: linux', slotsClauses, async () => ({
  distinct: linuxSlots(paths),
  swapped: linuxSlots({ a: paths.a, b: paths.a }),
}));
const partitionsOf = () => ({ boot: newFile(2 * headBytes), root: newFile(8192) });
const ofMachine = { a: partitionsOf(), b: partitionsOf() };
testClauses('Slots: partitions of a machine', slotsClauses, async () => ({
  distinct: machineSlots(ofMachine),
  swapped: machineSlots({ a: ofMachine.a, b: ofMachine.a }),
}));
const media = { a: memoryBlockDevice(8192), b: memoryBlockDevice(8192) };
testClauses('Slots: memory', slotsClauses, async () => ({
  distinct: memorySlots(media),
  swapped: memorySlots({ a: media.a, b: media.a }),
}));

test('the head of a boot partition is written behind the rest of it, and the root behind both', async () => {
  const device = unwrap(await machineSlots(ofMachine).open('a', 'write'));
  unwrap(await device.write(0, Uint8Array.of(1)));
  unwrap(await device.write(headBytes, Uint8Array.of(2)));
  unwrap(await device.write(2 * headBytes, Uint8Array.of(3)));
  unwrap(await device.flush());
  await device.close();
  const boot = readFileSync(ofMachine.a.boot);
  expect([boot[headBytes], boot[0], readFileSync(ofMachine.a.root)[0]]).toEqual([1, 2, 3]);
});

test('a machine that lacks one of the partitions of a slot has no such slot', async () => {
  const halves = { ...ofMachine.a, root: join(directory, 'absent') };
  expect(await machineSlots({ a: halves, b: ofMachine.b }).open('a', 'write')).toMatchObject({
    ok: false,
    fault: { category: 'unavailable', reason: 'storage-failed' },
  });
});

test('a Linux slot that is not there is refused, not made', async () => {
  expect(await linuxSlots({ a: join(directory, 'absent'), b: paths.b }).open('a', 'write')).toMatchObject({
    ok: false,
    fault: { category: 'unavailable', reason: 'storage-failed' },
  });
});

test('a Linux device opened to read cannot be written', async () => {
  const device = unwrap(await linuxBlockDevice(paths.a, 'read'));
  await device.write(0, new Uint8Array(8192));
  expect(await device.flush()).toMatchObject({ ok: false, fault: { category: 'unavailable', reason: 'storage-failed' } });
  await device.close();
});

test('what a Linux device was given is there when its program is killed before it flushes', async () => {
  const path = newFile(contractDeviceBytes);
  const device = unwrap(await linuxBlockDevice(path, 'write'));
  unwrap(await device.write(4096, new Uint8Array(8192).fill(1)));
  unwrap(await device.write(12288, new Uint8Array(4096).fill(2)));
  // No flush, no close: this is what another program reads.
  expect([4095, 4096, 12287, 12288, 16383, 16384].map((at) => readFileSync(path)[at])).toEqual([0, 1, 1, 2, 2, 0]);
  await device.close();
});

test('whole runs out of page memory are on a Linux medium when they are written, beside what waits in a run', async () => {
  const path = newFile(contractDeviceBytes);
  const device = unwrap(await linuxBlockDevice(path, 'write'));
  const expected = new Uint8Array(contractDeviceBytes);
  const write = async (offset: number, bytes: Uint8Array) => {
    unwrap(await device.write(offset, bytes));
    expected.set(bytes, offset);
    expect(readFileSync(path).equals(expected)).toBe(true);
    expect(unwrap(await device.read(0, contractDeviceBytes)).every((byte, at) => byte === expected[at])).toBe(true);
  };
  const mebibyte = 1024 * 1024;
  const memory = pageMemory(2 * mebibyte + 4096);
  await write(4096, memory.fill(1));
  await write(8192, memory.subarray(0, 4096).fill(2));
  await write(12288, memory.subarray(0, mebibyte).fill(3));
  await write(100, memory.subarray(7, 7 + mebibyte).fill(4));
  await write(mebibyte + 1, new Uint8Array(mebibyte + 5).fill(5));
  const into = pageMemory(mebibyte);
  expect(unwrap(await device.read(mebibyte, mebibyte, into)).buffer).toBe(into.buffer);
  expect(Buffer.compare(into, expected.subarray(mebibyte, 2 * mebibyte))).toBe(0);
  await device.close();
});

test('a full medium is told from a broken one', () => {
  expect(storageFailed('ENOSPC: no space left on device, write').fault).toMatchObject({
    category: 'resource',
    reason: 'storage-full',
  });
  expect(storageFailed('EIO: i/o error, write').fault).toMatchObject({ category: 'unavailable', reason: 'storage-failed' });
});

test('the Linux adapter works under the permission model, where fsync is refused', () => {
  const root = join(import.meta.dirname, '../..');
  const path = newFile(twinRecordBytes);
  const script = `
    import { fsyncSync, openSync } from 'node:fs';
    import { linuxBlockDevice } from '#hal/linux/block-device';
    import { twinRecord } from '#hal/core/twin-record';
    let refusal = 'none';
    try { fsyncSync(openSync(process.env.MEDIUM, 'r+')); } catch (error) { refusal = error.code; }
    const opened = await linuxBlockDevice(process.env.MEDIUM, 'write');
    const written = opened.ok ? await twinRecord(opened.value, 'ENIGMT01').write(new TextEncoder().encode('durable')) : opened;
    console.log(refusal, opened.ok && opened.value.readsMedium, written.ok);
  `;
  const words = [
    '--no-warnings',
    '--permission',
    `--allow-fs-read=${root}`,
    `--allow-fs-read=${path}`,
    `--allow-fs-write=${path}`,
  ];
  const { stdout, stderr } = spawnSync(process.execPath, [...words, '--input-type=module-typescript', '--eval', script], {
    cwd: root,
    env: { MEDIUM: path },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^ERR_ACCESS_DENIED (?:true|false) true\n$/);
});
