/** Where RFC 8032 leaves room, or a library leaves it: both back ends take the same signatures. */
import { ED25519_TORSION_SUBGROUP, ed25519 as noble } from '@noble/curves/ed25519.js';
import { bytesToNumberLE } from '@noble/curves/utils.js';
import { describe, expect, test } from 'vitest';
import { concat, utf8 } from '#hal/core/bytes';
import { isEd25519Point } from './checks.ts';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';

const { Point } = noble;
const message = utf8('message');
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const littleEndian = (value: bigint): Uint8Array => unhex(value.toString(16).padStart(64, '0')).toReversed();
const smallOrderKeys = ED25519_TORSION_SUBGROUP.map(unhex);
const backends = [nodeCrypto, nobleCrypto] as const;

/** A signature by the key `secret`·B + `torsion`: it holds with the cofactor, and without it where k is 0 modulo 8. */
const torsionSignature = (secret: bigint, torsion: Uint8Array, signed: Uint8Array) => {
  const publicKey = Point.BASE.multiply(secret).add(Point.fromBytes(torsion)).toBytes();
  const nonce = 12345n;
  const R = Point.BASE.multiply(nonce).toBytes();
  const k = challenge(R, publicKey, signed);
  return { publicKey, signature: concat(R, littleEndian(Point.Fn.create(nonce + k * secret))), holds: k % 8n === 0n };
};

/** RFC 8032 §5.1.7 step 2. */
const challenge = (R: Uint8Array, publicKey: Uint8Array, signed: Uint8Array): bigint =>
  Point.Fn.create(bytesToNumberLE(nodeCrypto.hash('sha512', R, publicKey, signed)));

describe.each(backends)('$name', ({ ed25519 }) => {
  test('refuses every key of small order, in every encoding', () => {
    const R = Point.BASE.toBytes();
    const S = littleEndian(1n);
    for (const key of smallOrderKeys) {
      const signed = key.slice();
      signed[31] = (signed[31] ?? 0) ^ 0x80;
      expect(ed25519.verify(key, message, concat(R, S))).toBe(false);
      expect(ed25519.verify(signed, message, concat(R, S))).toBe(false);
    }
  });

  test('refuses a signature that holds only after multiplication by the cofactor, which noble alone would take', () => {
    const orderEight = smallOrderKeys[1] ?? new Uint8Array(0);
    const answers = new Set<boolean>();
    for (let index = 0; index < 32; index++) {
      const signed = Uint8Array.of(index);
      const { publicKey, signature, holds } = torsionSignature(6789n, orderEight, signed);
      expect(noble.verify(signature, signed, publicKey, { zip215: false })).toBe(true);
      expect(ed25519.verify(publicKey, signed, signature)).toBe(holds);
      answers.add(holds);
    }
    expect(answers.size).toBe(2);
  });

  test('refuses a signature whose R is of small order, which noble alone would take', () => {
    const secret = 6789n;
    const publicKey = Point.BASE.multiply(secret).toBytes();
    const R = Point.ZERO.toBytes();
    const signature = concat(R, littleEndian(Point.Fn.create(challenge(R, publicKey, message) * secret)));
    expect(noble.verify(signature, message, publicKey, { zip215: false })).toBe(true);
    expect(ed25519.verify(publicKey, message, signature)).toBe(false);
  });

  test('refuses S of the group order and more, RFC 8032 §8.4', () => {
    const seed = new Uint8Array(32).fill(3);
    const signature = ed25519.sign(seed, message) ?? new Uint8Array(0);
    const S = bytesToNumberLE(signature.subarray(32));
    const forged = concat(signature.subarray(0, 32), littleEndian(S + Point.Fn.ORDER));
    expect(ed25519.verify(ed25519.publicKey(seed), message, signature)).toBe(true);
    expect(ed25519.verify(ed25519.publicKey(seed), message, forged)).toBe(false);
  });

  test('refuses a key that is no point of the curve', () => {
    const noPoint = littleEndian(2n);
    expect(isEd25519Point(noPoint)).toBe(true);
    expect(() => Point.fromBytes(noPoint)).toThrow();
    expect(ed25519.verify(noPoint, message, new Uint8Array(64))).toBe(false);
  });
});

test('a public key has y below p, RFC 8032 §5.1.3', () => {
  const prime = 2n ** 255n - 19n;
  expect(isEd25519Point(littleEndian(prime - 2n))).toBe(true);
  for (let above = 0n; above < 19n; above++) expect(isEd25519Point(littleEndian(prime + above))).toBe(false);
  expect(isEd25519Point(littleEndian(3n).subarray(1))).toBe(false);
});

test('the list of small orders is that of the eight torsion points', () => {
  expect(smallOrderKeys).toHaveLength(8);
  for (const key of smallOrderKeys) {
    expect(Point.fromBytes(key).isSmallOrder()).toBe(true);
    expect(isEd25519Point(key)).toBe(false);
  }
});
