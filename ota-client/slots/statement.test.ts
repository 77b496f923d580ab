import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { sealEnvelope } from '#hal/crypto/envelope';
import { nodeCrypto as crypto } from '#hal/crypto/node';
import { type HybridSecretKey, hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { seededRandom } from '#hal/memory/random';
import { encodeStatement, openStatement, releaseAudience, releaseType } from './statement.ts';

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const random = seededRandom('release statement');
const [first, second, foreign] = [0, 1, 2].map(() => hybridKeyPair(crypto, suite, random)) as [Pair, Pair, Pair];
type Pair = ReturnType<typeof hybridKeyPair>;
const policy = { crypto, keys: [first.publicKey, second.publicKey], threshold: 2, hardware: 'simulated' };
const release = { counter: 7, floorEpoch: 2, imageBytes: 4096, verityRoot: new Uint8Array(32).fill(5) };
const content = { release, salt: new Uint8Array(32).fill(6), uuid: new Uint8Array(16).fill(7), hardware: 'simulated' };
const header = { suite, audience: releaseAudience, payloadType: releaseType };
const payload = encodeStatement(crypto, content);
const seal = (bytes: Uint8Array, signers: readonly HybridSecretKey[], changed: Partial<typeof header> = {}) =>
  sealEnvelope(crypto, { ...header, ...changed }, bytes, signers);
const both = [first.secretKey, second.secretKey];
const code = (envelope: Uint8Array, by = policy) => {
  const opened = openStatement(by, envelope);
  return opened.ok ? 'opened' : codeOf(opened.fault);
};

describe('the statement of a release (SR-01, SR-03)', () => {
  test('is read back as it was signed, and named by its own digest', () => {
    const opened = unwrap(openStatement(policy, seal(payload, both)));
    expect(opened.release).toEqual({ ...release, digest: crypto.hash('sha256', payload) });
    expect([opened.salt, opened.uuid]).toEqual([content.salt, content.uuid]);
    expect(payload.length).toBe(140);
  });

  test('is refused with one custodian, with a foreign one, for another audience or type', () => {
    expect(code(seal(payload, [first.secretKey]))).toBe('integrity/signature-missing');
    expect(code(seal(payload, [first.secretKey, first.secretKey]))).not.toBe('opened');
    expect(code(seal(payload, [first.secretKey, foreign.secretKey]))).not.toBe('opened');
    expect(code(seal(payload, both, { audience: 'somebody-else' }))).toBe('integrity/audience-mismatch');
    expect(code(seal(payload, both, { payloadType: 'policy' }))).toBe('integrity/payload-type');
  });

  test('is refused for other hardware, and with numbers that cannot be', () => {
    expect(code(seal(payload, both), { ...policy, hardware: 'other' })).toBe('policy/hardware-mismatch');
    const odd = (changed: Partial<typeof release>) =>
      code(seal(encodeStatement(crypto, { ...content, release: { ...release, ...changed } }), both));
    expect(odd({ counter: 0 })).toBe('protocol/malformed');
    expect(odd({ floorEpoch: 65 })).toBe('protocol/malformed');
    expect(odd({ floorEpoch: 64 })).toBe('opened');
  });

  test('never throws on a payload that is none, and takes no byte more or less', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(code(seal(bytes, both))).toBe('protocol/malformed');
      }),
      { numRuns: 20 },
    );
    expect(code(seal(payload.subarray(0, 139), both))).toBe('protocol/malformed');
    expect(code(seal(new Uint8Array([...payload, 0]), both))).toBe('protocol/malformed');
  });
});
