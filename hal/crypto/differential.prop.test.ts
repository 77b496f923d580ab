/** The two back ends against each other: whatever one makes the other takes, and what is altered neither takes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CryptoBackend, SignatureScheme } from './backend.ts';
import { isP256Secret } from './checks.ts';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { xWing } from './xwing.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const anyBytes = fc.uint8Array({ maxLength: 300 });
const bit = fc.nat();

/** `original` with one of its bits turned. */
const flipped = (original: Uint8Array, position: number): Uint8Array => {
  const altered = original.slice();
  const index = (position >> 3) % altered.length;
  altered[index] = (altered[index] ?? 0) ^ (1 << (position & 7));
  return altered;
};

const required = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('refused');
  return value;
};

test('hashes, SHAKE256, HMAC and HKDF give the same bytes', () => {
  const outputs = (backend: CryptoBackend, parts: Uint8Array[], key: Uint8Array, length: number) => [
    backend.hash('sha1', ...parts),
    backend.hash('sha256', ...parts),
    backend.hash('sha384', ...parts),
    backend.hash('sha512', ...parts),
    backend.hash('sha3-256', ...parts),
    backend.shake256(key, length),
    backend.hmac(key, ...parts),
    backend.hkdf(key, parts[0] ?? key, parts[1] ?? key, length),
  ];
  fc.assert(
    fc.property(fc.array(anyBytes, { maxLength: 4 }), anyBytes, fc.integer({ min: 1, max: 300 }), (parts, key, length) => {
      expect(outputs(nodeCrypto, parts, key, length)).toEqual(outputs(nobleCrypto, parts, key, length));
    }),
  );
});

test('ChaCha20-Poly1305 seals to the same bytes, opens them, and refuses one turned bit anywhere', () => {
  fc.assert(
    fc.property(bytes(32), bytes(12), anyBytes, anyBytes, bit, (key, nonce, associated, plaintext, position) => {
      const sealed = nodeCrypto.chacha20Poly1305.seal(key, nonce, associated, plaintext);
      expect(nobleCrypto.chacha20Poly1305.seal(key, nonce, associated, plaintext)).toEqual(sealed);
      for (const { chacha20Poly1305: aead } of [nodeCrypto, nobleCrypto]) {
        expect(aead.open(key, nonce, associated, sealed)).toEqual(plaintext);
        expect(aead.open(key, nonce, associated, flipped(sealed, position))).toBeUndefined();
        expect(aead.open(key, flipped(nonce, position), associated, sealed)).toBeUndefined();
        if (associated.length > 0) expect(aead.open(key, nonce, flipped(associated, position), sealed)).toBeUndefined();
      }
    }),
  );
});

test('X25519 gives the same public keys and the same secret for any bytes as a peer key', () => {
  fc.assert(
    fc.property(bytes(32), bytes(32), (secret, peer) => {
      expect(nodeCrypto.x25519.publicKey(secret)).toEqual(nobleCrypto.x25519.publicKey(secret));
      expect(nodeCrypto.x25519.shared(secret, peer)).toEqual(nobleCrypto.x25519.shared(secret, peer));
    }),
    { numRuns: 50 },
  );
});

describe.each([
  ['ed25519', 30],
  ['p256', 30],
  ['mlDsa44', 6],
  ['mlDsa65', 6],
  ['mlDsa87', 4],
] as const)('%s', (name, numRuns) => {
  const [node, noble]: readonly [SignatureScheme, SignatureScheme] = [nodeCrypto[name], nobleCrypto[name]];
  const secrets = name === 'p256' ? bytes(32).filter(isP256Secret) : bytes(32);

  test('one signs and the other verifies; a turned bit in message, signature or key is refused by both', () => {
    fc.assert(
      fc.property(secrets, anyBytes, bit, (secret, message, position) => {
        const publicKey = node.publicKey(secret);
        expect(noble.publicKey(secret)).toEqual(publicKey);
        const altered = message.length > 0 ? flipped(message, position) : Uint8Array.of(0);
        for (const [signer, verifier] of [
          [node, noble],
          [noble, node],
        ] as const) {
          const signature = required(signer.sign(secret, message));
          expect(verifier.verify(publicKey, message, signature)).toBe(true);
          expect(verifier.verify(publicKey, altered, signature)).toBe(false);
          expect(verifier.verify(publicKey, message, flipped(signature, position))).toBe(false);
          expect(verifier.verify(flipped(publicKey, position), message, signature)).toBe(false);
        }
      }),
      { numRuns },
    );
  });

  test('any bytes as key and signature get the same answer', () => {
    fc.assert(
      fc.property(bytes(node.publicKeyBytes), bytes(node.signatureBytes), anyBytes, (publicKey, signature, message) => {
        expect(node.verify(publicKey, message, signature)).toBe(noble.verify(publicKey, message, signature));
      }),
      { numRuns },
    );
  });
});

describe.each(['mlDsa44', 'mlDsa65', 'mlDsa87'] as const)('%s', (name) => {
  test('noble signs deterministically in a context, and node verifies in that context only', () => {
    fc.assert(
      fc.property(bytes(32), anyBytes, bytes(12), (seed, message, context) => {
        const signature = required(nobleCrypto[name].signDeterministic(seed, message, context));
        expect(nobleCrypto[name].signDeterministic(seed, message, context)).toEqual(signature);
        const publicKey = nodeCrypto[name].publicKey(seed);
        expect(nodeCrypto[name].verify(publicKey, message, signature, context)).toBe(true);
        expect(nodeCrypto[name].verify(publicKey, message, signature)).toBe(false);
      }),
      { numRuns: 3 },
    );
  });
});

describe.each([
  ['ML-KEM-768', nodeCrypto.mlKem768, nobleCrypto.mlKem768],
  [
    'X-Wing',
    xWing(nodeCrypto, { bytes: () => new Uint8Array(32).fill(5) }),
    xWing(nobleCrypto, { bytes: () => new Uint8Array(32).fill(5) }),
  ],
] as const)('%s', (_name, node, noble) => {
  const seeds = bytes(node.seedBytes);

  test('one encapsulates and the other decapsulates; both have the same key', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const publicKey = node.publicKey(seed);
        expect(noble.publicKey(seed)).toEqual(publicKey);
        for (const [sender, receiver] of [
          [node, noble],
          [noble, node],
        ] as const) {
          const made = required(sender.encapsulate(publicKey));
          expect([publicKey.length, made.ciphertext.length, made.shared.length]).toEqual([
            sender.publicKeyBytes,
            sender.ciphertextBytes,
            32,
          ]);
          expect(receiver.decapsulate(seed, made.ciphertext)).toEqual(made.shared);
        }
      }),
      { numRuns: 15 },
    );
  });

  test('a turned bit gives another secret, the same on both: implicit rejection, FIPS 203 §6.3', () => {
    fc.assert(
      fc.property(seeds, bit, (seed, position) => {
        const made = required(node.encapsulate(node.publicKey(seed)));
        const altered = flipped(made.ciphertext, position);
        const secret = node.decapsulate(seed, altered);
        expect(secret).not.toEqual(made.shared);
        expect(noble.decapsulate(seed, altered)).toEqual(secret);
      }),
      { numRuns: 15 },
    );
  });
});
