import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import type { DurableStore } from '#hal/ports/durable-store';
import { countUse } from './grant-uses.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const digest = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const grant = (byte: number, uses = 2, expiresMs = 1_000) => ({ digest: digest(byte), uses, expiresMs });

let store: DurableStore;
beforeEach(() => {
  store = memoryStore();
});
const take = (of: ReturnType<typeof grant>, release: number, floorMs = 0) => code(countUse(store, of, digest(release), floorMs));

describe('the count of a grant on a device', () => {
  test('ends with as many releases as the grant allows', () => {
    expect([take(grant(1), 10), take(grant(1), 11), take(grant(1), 12)]).toEqual(['ok', 'ok', 'policy/grant-used']);
  });

  test('counts a release once, however often it is begun, also when the grant is used up', () => {
    expect([10, 10, 11, 10, 11].map((release) => take(grant(1), release))).toEqual(Array(5).fill('ok'));
  });

  test('is that of one grant: another has its own', () => {
    expect([take(grant(1, 1), 10), take(grant(2, 1), 11)]).toEqual(['ok', 'ok']);
    expect([take(grant(1, 1), 11), take(grant(2, 1), 10)]).toEqual(Array(2).fill('policy/grant-used'));
  });

  test('outlives whoever counts, and is kept before it is said', () => {
    expect(take(grant(1, 1), 10)).toBe('ok');
    const after = memoryStore();
    const kept = unwrap(store.get('field-grants')) ?? new Uint8Array();
    unwrap(after.put('field-grants', kept));
    store = after;
    expect(take(grant(1, 1), 11)).toBe('policy/grant-used');
    const full = { get: () => store.get('field-grants'), put: () => deny('resource', 'storage-full') };
    expect(code(countUse(full, grant(3), digest(10), 0))).toBe('resource/storage-full');
  });

  test('is forgotten once the grant has certainly expired, and not before', () => {
    expect(take(grant(1, 1, 1_000), 10)).toBe('ok');
    expect(take(grant(2), 10, 999)).toBe('ok');
    expect(take(grant(1, 1, 1_000), 11)).toBe('policy/grant-used');
    expect(take(grant(2), 11, 1_000)).toBe('ok');
    expect(Buffer.from(unwrap(store.get('field-grants')) ?? []).toString()).not.toContain('01'.repeat(32));
  });

  test('has a place for 64 grants', () => {
    for (let one = 0; one < 64; one += 1) expect(take(grant(one), 10)).toBe('ok');
    expect(take(grant(64), 10)).toBe('resource/count-limit');
    expect(take(grant(0), 11)).toBe('ok');
    expect(take(grant(64), 10, 1_000)).toBe('ok');
  });

  test('that cannot be read is none: nothing is taken', () => {
    unwrap(store.put('field-grants', utf8('{}')));
    expect(take(grant(1), 10)).toBe('protocol/config-invalid');
  });

  test('is never above what the grant allows, in any order', () => {
    const calls = fc.array(fc.record({ of: fc.integer({ min: 1, max: 3 }), release: fc.integer({ min: 0, max: 9 }) }));
    fc.assert(
      fc.property(calls, fc.integer({ min: 1, max: 16 }), (all, uses) => {
        store = memoryStore();
        for (const of of [1, 2, 3]) {
          const mine = all.filter((call) => call.of === of);
          const done = mine.filter(({ release }) => take(grant(of, uses), release) === 'ok').map(({ release }) => release);
          expect(new Set(done).size).toBe(Math.min(uses, new Set(mine.map(({ release }) => release)).size));
        }
      }),
    );
  });
});
