import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf } from '#hal/core/result';
import { checkPermit, maxPermitLifeMs, mintPermit, type Permit, type PermitContext, permitBytes } from './permit.ts';

const key = new Uint8Array(32).fill(7);
const permit: Permit = {
  audience: 'power.reboot',
  arguments: utf8('exact request bytes'),
  bootId: new Uint8Array(16).fill(1),
  sequence: 5,
  notAfterBootMs: 10_000,
  policyDigest: new Uint8Array(32).fill(2),
  auditLeaf: new Uint8Array(32).fill(3),
};
const context: PermitContext = {
  audience: permit.audience,
  arguments: permit.arguments,
  bootId: permit.bootId,
  bootMs: 9_000,
  lastSequence: 4,
};
const code = (bytes: Uint8Array, changed: Partial<PermitContext> = {}, withKey = key) => {
  const checked = checkPermit(withKey, bytes, { ...context, ...changed });
  return checked.ok ? checked.value : codeOf(checked.fault);
};
const minted = mintPermit(key, permit);

describe('permits (SR-01)', () => {
  test('pass once, for the exact call, and give the sequence that is then used up', () => {
    expect(minted.length).toBe(permitBytes);
    expect(code(minted)).toBe(5);
    expect(code(minted, { lastSequence: 5 })).toBe('authorization/permit-replayed');
  });

  test.each([
    ['another effector', { audience: 'power.off' }, 'authorization/permit-audience'],
    ['other arguments', { arguments: utf8('other request bytes') }, 'authorization/permit-arguments'],
    ['an earlier boot', { bootId: new Uint8Array(16) }, 'authorization/permit-boot'],
    ['a time after its end', { bootMs: 10_001 }, 'authorization/permit-expired'],
    ['a time so early that it would live too long', { bootMs: 9_999 - maxPermitLifeMs }, 'authorization/permit-expired'],
  ] as const)('are refused for %s', (_, changed, expected) => {
    expect(code(minted, changed)).toBe(expected);
  });

  test('are good to their last millisecond', () => {
    expect(code(minted, { bootMs: 10_000 })).toBe(5);
  });

  test('of an earlier life of the hands are refused: its key is gone', () => {
    expect(code(minted, {}, new Uint8Array(32).fill(8))).toBe('authorization/permit-invalid');
  });

  test('never use up a sequence that could not be counted on from', () => {
    expect(code(mintPermit(key, { ...permit, sequence: Number.MAX_SAFE_INTEGER }))).toBe(Number.MAX_SAFE_INTEGER);
    for (const sequence of [2 ** 53, 2 ** 63])
      expect(code(mintPermit(key, { ...permit, sequence }))).toBe('authorization/permit-invalid');
  });

  test('are refused with any one bit changed, and with any other length', () => {
    for (let bit = 0; bit < permitBytes * 8; bit += 1) {
      const changed = minted.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(code(changed)).toBe('authorization/permit-invalid');
    }
    for (const length of [0, 1, permitBytes - 1]) expect(code(minted.slice(0, length))).toBe('authorization/permit-invalid');
    expect(code(new Uint8Array([...minted, 0]))).toBe('authorization/permit-invalid');
  });
});
