import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import type { CryptoBackend } from './backend.ts';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { xWing } from './xwing.ts';

const bytes = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value);
const random = { bytes: (count: number) => bytes(count, 9) };
const backends: readonly CryptoBackend[] = [nodeCrypto, nobleCrypto];

describe.each(backends)('$name', (backend) => {
  const kem = xWing(backend, random);
  const seed = bytes(32);
  const publicKey = kem.publicKey(seed);

  test('the public key is that of ML-KEM and then that of X25519, from 96 bytes of SHAKE256', () => {
    const expanded = backend.shake256(seed, 96);
    expect(publicKey).toEqual(
      concat(backend.mlKem768.publicKey(expanded.subarray(0, 64)), backend.x25519.publicKey(expanded.subarray(64))),
    );
  });

  test('the ephemeral key of X25519 comes from the given randomness', () => {
    expect(kem.encapsulate(publicKey)?.ciphertext.subarray(1088)).toEqual(backend.x25519.publicKey(bytes(32, 9)));
  });

  test('refuses a public key of another size, a coefficient above q and a point of small order', () => {
    expect(kem.encapsulate(publicKey.subarray(1))).toBeUndefined();
    expect(kem.encapsulate(concat(publicKey, bytes(1)))).toBeUndefined();
    expect(kem.encapsulate(concat(bytes(3, 0xff), publicKey.subarray(3)))).toBeUndefined();
    expect(kem.encapsulate(concat(publicKey.subarray(0, 1184), bytes(32, 0)))).toBeUndefined();
  });

  test('refuses a ciphertext of another size and one whose share is of small order', () => {
    const ciphertext = kem.encapsulate(publicKey)?.ciphertext ?? bytes(0);
    expect(kem.decapsulate(seed, ciphertext.subarray(1))).toBeUndefined();
    expect(kem.decapsulate(seed, concat(ciphertext, bytes(1)))).toBeUndefined();
    expect(kem.decapsulate(seed, concat(ciphertext.subarray(0, 1088), bytes(32, 0)))).toBeUndefined();
  });

  test('throws for a seed of another size', () => {
    expect(() => kem.publicKey(bytes(31))).toThrow(RangeError);
    expect(() => kem.decapsulate(bytes(33), bytes(1120))).toThrow(RangeError);
  });
});

test('only noble encapsulates from given randomness, of exactly 64 bytes, and the same each time', () => {
  expect(xWing(nodeCrypto, random).encapsulateSeeded).toBeUndefined();
  const kem = xWing(nobleCrypto, random);
  const publicKey = kem.publicKey(bytes(32));
  const made = kem.encapsulateSeeded?.(publicKey, bytes(64));
  expect(made).toBeDefined();
  expect(kem.encapsulateSeeded?.(publicKey, bytes(64))).toEqual(made);
  expect(() => kem.encapsulateSeeded?.(publicKey, bytes(63))).toThrow(RangeError);
});

test('the expanded seed and the ephemeral key are wiped after use, after a refusal too', () => {
  const secrets: Uint8Array[] = [];
  const kept = (secret: Uint8Array): Uint8Array => {
    secrets.push(secret);
    return secret;
  };
  const watched = { ...nobleCrypto, shake256: (seed: Uint8Array, length: number) => kept(nobleCrypto.shake256(seed, length)) };
  const kem = xWing(watched, { bytes: (count) => kept(bytes(count)) });
  const ciphertext = kem.encapsulate(kem.publicKey(bytes(32)))?.ciphertext ?? bytes(0);
  kem.decapsulate(bytes(32), ciphertext);
  kem.decapsulate(bytes(32), ciphertext.subarray(1));
  expect(secrets.map((secret) => secret.some((byte) => byte !== 0))).toEqual([false, false, false, false]);
});
