import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { type HybridSuite, hybridKeyPair, hybridSign, hybridSignatureSuites, hybridSuite, hybridVerify } from './suites.ts';

const message = utf8('message');
/** Counts up, so that the keys differ and every run has the same. */
const counting = () => {
  let drawn = 0;
  return { bytes: (length: number) => new Uint8Array(length).fill(++drawn) };
};
const random = counting();
const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const suites: readonly HybridSuite[] = Object.values(hybridSignatureSuites);
const turned = (bytes: Uint8Array): Uint8Array => bytes.map((byte, index) => (index === 40 ? byte ^ 1 : byte));

describe.each(suites)('$id', (suite) => {
  const { secretKey, publicKey } = hybridKeyPair(nodeCrypto, suite, random);
  const signature = hybridSign(nodeCrypto, secretKey, message);
  const verify = (received: Parameters<typeof hybridVerify>[4], signed = message) =>
    code(hybridVerify(nodeCrypto, suite, publicKey, signed, received));

  test('accepts both signatures over the same bytes, on either back end', () => {
    expect(verify(signature)).toBe('ok');
    expect(code(hybridVerify(nobleCrypto, suite, publicKey, message, signature))).toBe('ok');
    expect(verify(hybridSign(nobleCrypto, secretKey, message))).toBe('ok');
  });

  test('SR-09: refuses one signature without the other, absent or empty', () => {
    const { classical, postQuantum } = signature;
    const empty = new Uint8Array(0);
    for (const received of [
      { classical },
      { postQuantum },
      {},
      { classical, postQuantum: empty },
      { classical: empty, postQuantum },
    ])
      expect(verify(received)).toBe('integrity/signature-missing');
  });

  test('refuses a turned bit in either signature, the two exchanged, and other bytes', () => {
    const { classical, postQuantum } = signature;
    expect(verify({ classical: turned(classical), postQuantum })).toBe('integrity/signature-invalid');
    expect(verify({ classical, postQuantum: turned(postQuantum) })).toBe('integrity/signature-invalid');
    expect(verify({ classical: postQuantum, postQuantum: classical })).toBe('integrity/signature-invalid');
    expect(verify(signature, utf8('another'))).toBe('integrity/signature-invalid');
  });

  test('refuses halves of two signers', () => {
    const other = hybridSign(nodeCrypto, hybridKeyPair(nodeCrypto, suite, random).secretKey, message);
    expect(verify({ ...signature, classical: other.classical })).toBe('integrity/signature-invalid');
    expect(verify({ ...signature, postQuantum: other.postQuantum })).toBe('integrity/signature-invalid');
  });

  test('SR-03: refuses a key of another suite, whatever it signed', () => {
    for (const other of suites.filter(({ id }) => id !== suite.id)) {
      const pair = hybridKeyPair(nodeCrypto, other, random);
      const received = hybridSign(nodeCrypto, pair.secretKey, message);
      expect(code(hybridVerify(nodeCrypto, suite, pair.publicKey, message, received))).toBe('integrity/suite-refused');
    }
  });

  test('is found by its id', () => {
    expect(unwrap(hybridSuite(suite.id))).toBe(suite);
  });
});

test.each(['', 'enigm-ed25519', 'toString', 'ENIGM-ED25519-MLDSA65'])('there is no suite "%s"', (id) => {
  expect(code(hybridSuite(id))).toBe('integrity/suite-refused');
});

test('a secret for P-256 is drawn again until it is a scalar, and a broken source is noticed', () => {
  const suite = hybridSignatureSuites['enigm-p256-mldsa65'];
  const draws = [new Uint8Array(32), new Uint8Array(32).fill(0xff), new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const { secretKey } = hybridKeyPair(nodeCrypto, suite, { bytes: () => draws.shift() ?? new Uint8Array(32) });
  expect(secretKey.classical).toEqual(new Uint8Array(32).fill(1));
  expect(() => hybridKeyPair(nodeCrypto, suite, { bytes: () => new Uint8Array(32) })).toThrow('randomness');
});
