import { expect, test } from 'vitest';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { storedFloor } from './stored-floor.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'done' : codeOf(result.fault));

test('a floor begins at 0, rises one epoch at a time, and never falls', async () => {
  const kept = new Map<string, Uint8Array>();
  const floor = storedFloor(memoryStore(kept));
  expect(unwrap(await floor.read())).toBe(0);
  expect(code(await floor.raise(2))).toBe('protocol/field-invalid');
  unwrap(await floor.raise(1));
  unwrap(await floor.raise(2));
  unwrap(await floor.raise(1));
  expect(unwrap(await storedFloor(memoryStore(kept)).read())).toBe(2);
});

test('a floor ends at 64, and one that cannot be read is no floor', async () => {
  const store = memoryStore(new Map([['floor-epoch', Uint8Array.of(64)]]));
  expect(code(await storedFloor(store).raise(65))).toBe('protocol/field-invalid');
  for (const bytes of [Uint8Array.of(65), new Uint8Array(2), new Uint8Array()]) {
    const torn = storedFloor(memoryStore(new Map([['floor-epoch', bytes]])));
    expect(code(await torn.read())).toBe('unavailable/storage-failed');
    expect(code(await torn.raise(1))).toBe('unavailable/storage-failed');
  }
});
