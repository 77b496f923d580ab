import { describe, expect, test } from 'vitest';
import { openOutcome } from '#agents/defense/outcomes';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { virtualClock } from '#hal/memory/clock';
import { seededRandom } from '#hal/memory/random';
import { type Conclusion, referenceEnyra } from './enyra.ts';

const clock = virtualClock(Date.UTC(2026, 5, 1));
const keys = hybridKeyPair(nodeCrypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], seededRandom('enyra'));
const enyra = referenceEnyra(clock, keys.secretKey, keys.secretKey);
const handle = new Uint8Array(16).fill(1);
const opened = (conclusion: Conclusion) =>
  unwrap(
    openOutcome(nodeCrypto, enyra.conclude(conclusion), {
      keys: [keys.publicKey],
      isRevoked: () => false,
      handle,
      nowMs: clock.nowMs(),
    }),
  );

describe('the reference intelligence service', () => {
  test('says category, band, app and expiry, and no more', () => {
    const { signer, sequence, ...said } = opened({ category: 'tamper', app: 'an-app', isBlock: true, lifeMs: 5_000 });
    expect(said).toEqual({
      service: 'reference-enyra',
      category: 'tamper',
      band: 'strong',
      app: 'an-app',
      isBlock: true,
      issuedMs: clock.nowMs(),
      expiresMs: clock.nowMs() + 5_000,
    });
    expect([signer.length, sequence > 0]).toEqual([16, true]);
  });

  test('never says the same sequence twice', () => {
    const sequences = [1, 2, 3].map(() => opened({ category: 'none', handle }).sequence);
    expect(new Set(sequences).size).toBe(3);
    expect(sequences.toSorted((a, b) => a - b)).toEqual(sequences);
  });
});
