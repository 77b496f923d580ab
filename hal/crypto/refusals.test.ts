/** Each check of the interface: what is refused, what throws, and that both back ends agree. */
import { describe, expect, test } from 'vitest';
import { concat, utf8 } from '#hal/core/bytes';
import type { CryptoBackend } from './backend.ts';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';

const bytes = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value);
const message = utf8('message');
const backends: readonly CryptoBackend[] = [nodeCrypto, nobleCrypto];

describe.each(backends)('$name', (backend) => {
  test('HKDF gives 255 blocks and refuses one byte more, RFC 5869 §2.3', () => {
    expect(backend.hkdf(bytes(32), bytes(32), message, 255 * 32)).toHaveLength(255 * 32);
    expect(backend.hkdf(bytes(32), bytes(32), message, 255 * 32 + 1)).toBeUndefined();
  });

  test('HKDF gives nothing when asked for nothing, and takes an info above 1024 bytes', () => {
    expect(backend.hkdf(bytes(32), bytes(0), bytes(0), 0)).toEqual(bytes(0));
    expect(backend.hkdf(bytes(32), bytes(0), bytes(5000), 64)).toEqual(nobleCrypto.hkdf(bytes(32), bytes(0), bytes(5000), 64));
  });

  test('ChaCha20-Poly1305 refuses what is shorter than a tag', () => {
    expect(backend.chacha20Poly1305.open(bytes(32), bytes(12), message, bytes(15))).toBeUndefined();
    expect(backend.chacha20Poly1305.open(bytes(32), bytes(12), message, bytes(0))).toBeUndefined();
  });

  test.each([
    [31, 12],
    [33, 12],
    [32, 8],
    [32, 11],
    [32, 13],
  ])('ChaCha20-Poly1305 throws for a key of %i and a nonce of %i bytes', (keyBytes, nonceBytes) => {
    const { seal, open } = backend.chacha20Poly1305;
    expect(() => seal(bytes(keyBytes), bytes(nonceBytes), message, message)).toThrow(RangeError);
    expect(() => open(bytes(keyBytes), bytes(nonceBytes), message, bytes(40))).toThrow(RangeError);
  });

  test('X25519 refuses points of small order and keys of another size, and throws for its own', () => {
    expect(backend.x25519.shared(bytes(32), bytes(32, 0))).toBeUndefined();
    expect(backend.x25519.shared(bytes(32), concat(bytes(1, 1), bytes(31, 0)))).toBeUndefined();
    expect(backend.x25519.shared(bytes(32), bytes(31))).toBeUndefined();
    expect(backend.x25519.shared(bytes(32), bytes(33))).toBeUndefined();
    expect(() => backend.x25519.shared(bytes(31), bytes(32, 9))).toThrow(RangeError);
    expect(() => backend.x25519.publicKey(bytes(33))).toThrow(RangeError);
  });

  test.each(['ed25519', 'p256', 'mlDsa44', 'mlDsa65', 'mlDsa87'] as const)('%s throws for a secret of another size', (name) => {
    for (const length of [0, 31, 33]) {
      expect(() => backend[name].publicKey(bytes(length))).toThrow(RangeError);
      expect(() => backend[name].sign(bytes(length), message)).toThrow(RangeError);
    }
  });

  test.each(['ed25519', 'p256', 'mlDsa44', 'mlDsa65', 'mlDsa87'] as const)(
    '%s has keys and signatures of its sizes and refuses any other',
    (name) => {
      const scheme = backend[name];
      const publicKey = scheme.publicKey(bytes(32));
      const signature = scheme.sign(bytes(32), message) ?? bytes(0);
      expect([publicKey.length, signature.length]).toEqual([scheme.publicKeyBytes, scheme.signatureBytes]);
      expect(scheme.verify(publicKey, message, signature)).toBe(true);
      expect(scheme.verify(publicKey, message, signature.subarray(1))).toBe(false);
      expect(scheme.verify(publicKey, message, concat(signature, bytes(1)))).toBe(false);
      expect(scheme.verify(publicKey, message, bytes(0))).toBe(false);
      expect(scheme.verify(publicKey.subarray(1), message, signature)).toBe(false);
      expect(scheme.verify(concat(publicKey, bytes(1)), message, signature)).toBe(false);
      expect(scheme.verify(bytes(0), message, signature)).toBe(false);
    },
  );

  test.each(['ed25519', 'p256'] as const)('%s has no context, not even an empty one', (name) => {
    const scheme = backend[name];
    const signature = scheme.sign(bytes(32), message) ?? bytes(0);
    for (const context of [bytes(0), bytes(8)]) {
      expect(scheme.sign(bytes(32), message, context)).toBeUndefined();
      expect(scheme.verify(scheme.publicKey(bytes(32)), message, signature, context)).toBe(false);
    }
  });

  test('ML-DSA takes a context of 255 bytes and refuses 256, FIPS 204 §5.2', () => {
    const publicKey = backend.mlDsa44.publicKey(bytes(32));
    const signature = backend.mlDsa44.sign(bytes(32), message, bytes(255)) ?? bytes(0);
    expect(backend.mlDsa44.verify(publicKey, message, signature, bytes(255))).toBe(true);
    expect(backend.mlDsa44.verify(publicKey, message, signature, bytes(254))).toBe(false);
    expect(backend.mlDsa44.verify(publicKey, message, signature, bytes(256))).toBe(false);
    expect(backend.mlDsa44.sign(bytes(32), message, bytes(256))).toBeUndefined();
  });

  test('ML-DSA signs hedged: two signatures over the same bytes differ, and both verify', () => {
    const [first, second] = [backend.mlDsa44.sign(bytes(32), message), backend.mlDsa44.sign(bytes(32), message)];
    expect(first).not.toEqual(second);
    for (const signature of [first, second])
      expect(backend.mlDsa44.verify(backend.mlDsa44.publicKey(bytes(32)), message, signature ?? bytes(0))).toBe(true);
  });

  test('P-256 throws for a scalar of zero, n or more, and takes n - 1', () => {
    const order = new Uint8Array(Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex'));
    const last = order.slice();
    last[31] = 0x50;
    expect(() => backend.p256.publicKey(bytes(32, 0))).toThrow(RangeError);
    expect(() => backend.p256.sign(order, message)).toThrow(RangeError);
    expect(() => backend.p256.sign(bytes(32, 0xff), message)).toThrow(RangeError);
    expect(backend.p256.publicKey(last)).toHaveLength(65);
  });

  test('P-256 refuses hybrid and compressed encodings, points off the curve, and r or s of zero', () => {
    const publicKey = backend.p256.publicKey(bytes(32));
    const signature = backend.p256.sign(bytes(32), message) ?? bytes(0);
    const parity = (publicKey[64] ?? 0) & 1;
    const hybrid = concat(Uint8Array.of(6 + parity), publicKey.subarray(1));
    const compressed = concat(Uint8Array.of(2 + parity), publicKey.subarray(1, 33));
    const offCurve = concat(publicKey.subarray(0, 64), Uint8Array.of((publicKey[64] ?? 0) ^ 1));
    for (const key of [hybrid, compressed, offCurve, bytes(1, 0), bytes(65, 0)])
      expect(backend.p256.verify(key, message, signature)).toBe(false);
    expect(backend.p256.verify(publicKey, message, concat(bytes(32, 0), signature.subarray(32)))).toBe(false);
    expect(backend.p256.verify(publicKey, message, concat(signature.subarray(0, 32), bytes(32, 0)))).toBe(false);
  });

  test('ML-KEM-768 refuses a key with a coefficient of q and takes one of q - 1, FIPS 203 §7.2', () => {
    const key = backend.mlKem768.publicKey(bytes(64));
    const withFirstCoefficient = (value: number): Uint8Array =>
      concat(Uint8Array.of(value & 0xff, (value >> 8) | ((key[1] ?? 0) & 0xf0)), key.subarray(2));
    expect(backend.mlKem768.encapsulate(withFirstCoefficient(3328))).toBeDefined();
    expect(backend.mlKem768.encapsulate(withFirstCoefficient(3329))).toBeUndefined();
    expect(backend.mlKem768.encapsulate(withFirstCoefficient(4095))).toBeUndefined();
  });

  test('ML-KEM-768 refuses other sizes, and throws for a seed of its own', () => {
    const key = backend.mlKem768.publicKey(bytes(64));
    expect(backend.mlKem768.encapsulate(key.subarray(1))).toBeUndefined();
    expect(backend.mlKem768.encapsulate(concat(key, bytes(1)))).toBeUndefined();
    expect(backend.mlKem768.decapsulate(bytes(64), bytes(1087))).toBeUndefined();
    expect(backend.mlKem768.decapsulate(bytes(64), bytes(1089))).toBeUndefined();
    expect(() => backend.mlKem768.publicKey(bytes(63))).toThrow(RangeError);
    expect(() => backend.mlKem768.decapsulate(bytes(65), bytes(1088))).toThrow(RangeError);
  });
});

test('OpenSSL has no deterministic signing and no seeded encapsulation, so its back end does not offer them', () => {
  for (const scheme of [nodeCrypto.ed25519, nodeCrypto.mlDsa44, nodeCrypto.mlDsa65, nodeCrypto.mlDsa87])
    expect([scheme.signDeterministic, scheme.signRepresentative]).toEqual([undefined, undefined]);
  expect('encapsulateSeeded' in nodeCrypto.mlKem768).toBe(false);
});

test('noble refuses a context of 256 bytes for deterministic signing, and other sizes of representative and randomness', () => {
  expect(nobleCrypto.mlDsa44.signDeterministic(bytes(32), message, bytes(256))).toBeUndefined();
  expect(() => nobleCrypto.mlDsa44.signRepresentative(bytes(32), bytes(63))).toThrow(RangeError);
  expect(() => nobleCrypto.mlKem768.encapsulateSeeded(nobleCrypto.mlKem768.publicKey(bytes(64)), bytes(31))).toThrow(RangeError);
});
