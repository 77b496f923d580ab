import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { toHex, u16le, utf8 } from '#hal/core/bytes';
import { globalVendor } from '#hal/core/guid';
import { deny, unwrap } from '#hal/core/result';
import { memoryEfiVariables } from '#hal/memory/efi-variables';
import type { SlotName } from '#hal/ports/slots';
import { begunVariable, endStart } from './boot-guard.ts';
import { entryNumbers, trialVariable } from './efi-boot-control.ts';

const folder = mkdtempSync(join(tmpdir(), 'enigm-guard-'));
afterAll(() => rmSync(folder, { recursive: true }));
let marks = 0;

const machine = async (kept: { readonly next?: number; readonly trial?: string }) => {
  const variables = memoryEfiVariables(new Map());
  const mark = join(folder, `mark-${marks++}`);
  if (kept.next !== undefined) await variables.write('BootNext', globalVendor, u16le(kept.next));
  if (kept.trial !== undefined) await variables.write(trialVariable.name, trialVariable.vendor, utf8(kept.trial));
  await variables.write(begunVariable.name, begunVariable.vendor, utf8('a'));
  const text = (name: string, vendor: string) => unwrap(variables.read(name, vendor));
  return {
    mark,
    variables,
    end: (running: SlotName) => endStart(variables, running, mark),
    next: () => toHex(text('BootNext', globalVendor) ?? new Uint8Array()),
    trial: () => Buffer.from(text(trialVariable.name, trialVariable.vendor) ?? []).toString('latin1'),
    begun: () => text(begunVariable.name, begunVariable.vendor),
  };
};

test('a start that comes to its end takes the guard away, once a boot', async () => {
  const { end, next, begun, mark, variables } = await machine({ next: entryNumbers.b });
  unwrap(await end('a'));
  expect(next()).toBe('');
  expect(begun()).toBeUndefined();
  expect(existsSync(mark)).toBe(true);
  // What is armed later is not touched again.
  await variables.write('BootNext', globalVendor, u16le(entryNumbers.b));
  unwrap(await end('a'));
  expect(next()).toBe('1100');
});

test.each<[string, string, number | undefined, SlotName, string, string]>([
  ['a trial with tries left keeps its next start', 'b1', entryNumbers.b, 'b', 'b1', '1100'],
  ['a trial without tries has none', 'b0', entryNumbers.a, 'b', 'b0', ''],
  ['a trial that did not come to its first root loses a try, and is next while it has one', 'b2', undefined, 'a', 'b1', '1100'],
  ['the last such try ends it', 'b1', undefined, 'a', 'b0', ''],
  ['a guard that points elsewhere is taken away from a trial that runs', 'b1', entryNumbers.a, 'b', 'b1', ''],
])('%s', async (_, trial, next, running, trialAfter, nextAfter) => {
  const guarded = await machine({ trial, ...(next === undefined ? {} : { next }) });
  unwrap(await guarded.end(running));
  expect([guarded.trial(), guarded.next()]).toEqual([trialAfter, nextAfter]);
});

test('a store that fails leaves the mark out, so that it is tried again', async () => {
  const { variables, mark } = await machine({});
  const failing = { ...variables, remove: async () => deny('unavailable', 'storage-failed') };
  expect((await endStart(failing, 'a', mark)).ok).toBe(false);
  expect(existsSync(mark)).toBe(false);
});
