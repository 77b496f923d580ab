import { describe, expect, test } from 'vitest';
import { codeOf, type Result } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { versionFloor } from './version-floor.ts';

const bytes = (value: number) => Uint8Array.of(value);
const outcome = (result: Result<void>) => (result.ok ? 'done' : codeOf(result.fault));

describe('the floor of a class', () => {
  test('is raised by what was applied, never by what was only checked', () => {
    const floor = versionFloor(memoryStore());
    expect(outcome(floor.check('network', 7, bytes(7)))).toBe('done');
    expect(outcome(floor.raise('network', 2, bytes(2)))).toBe('done');
    expect(outcome(floor.check('network', 1, bytes(1)))).toBe('policy/stale');
    expect(outcome(floor.raise('network', 1, bytes(1)))).toBe('policy/stale');
    expect(outcome(floor.check('network', 2, bytes(2)))).toBe('done');
    expect(outcome(floor.check('apps', 1, bytes(1)))).toBe('done');
  });

  test('refuses another content of the same version', () => {
    const floor = versionFloor(memoryStore());
    floor.raise('apps', 2, bytes(2));
    expect(outcome(floor.check('apps', 2, bytes(3)))).toBe('policy/version-reused');
    expect(outcome(floor.raise('apps', 2, bytes(3)))).toBe('policy/version-reused');
  });

  test.each([0, 1, 35, 37])('refuses everything over a record of %i bytes: it does not end the hands', (length) => {
    const floor = versionFloor(memoryStore(new Map([['floor-network', new Uint8Array(length)]])));
    expect(outcome(floor.check('network', 9, bytes(9)))).toBe('unavailable/storage-failed');
    expect(outcome(floor.raise('network', 9, bytes(9)))).toBe('unavailable/storage-failed');
  });
});
