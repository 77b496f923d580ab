import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { globalVendor } from '#hal/core/guid';
import { codeOf, ok, unwrap } from '#hal/core/result';
import { chattr, linuxEfiVariables } from './efi-variables.ts';

const folder = mkdtempSync(join(tmpdir(), 'enigm-efi-'));
afterAll(() => rmSync(folder, { recursive: true }));
const asked: string[] = [];
const commands = {
  run: async (program: string, words: readonly string[]) => {
    asked.push(`${program} ${words[0]}`);
    return ok('');
  },
};
const variables = linuxEfiVariables(commands, folder);

test('a variable is its attributes and its data in one file, and is read without them', async () => {
  expect(unwrap(variables.read('BootNext', globalVendor))).toBeUndefined();
  unwrap(await variables.write('BootNext', globalVendor, new Uint8Array([0x11, 0])));
  const file = join(folder, `BootNext-${globalVendor}`);
  expect(toHex(readFileSync(file))).toBe('070000001100');
  expect(unwrap(variables.read('BootNext', globalVendor))).toEqual(new Uint8Array([0x11, 0]));
  expect(asked).toEqual([]);
});

test('one that is there is made changeable first, and can be removed twice', async () => {
  unwrap(await variables.write('BootNext', globalVendor, new Uint8Array([0x12, 0])));
  expect(asked).toEqual([`${chattr} -i`]);
  unwrap(await variables.remove('BootNext', globalVendor));
  unwrap(await variables.remove('BootNext', globalVendor));
  expect(unwrap(variables.read('BootNext', globalVendor))).toBeUndefined();
});

test('a store that does not take it is a fault', async () => {
  writeFileSync(join(folder, 'file'), '');
  const nowhere = linuxEfiVariables(commands, join(folder, 'file'));
  const written = await nowhere.write('BootNext', globalVendor, new Uint8Array(2));
  expect(written.ok || codeOf(written.fault)).toBe('unavailable/storage-failed');
});
