/**
 * The second implementation: `@noble/*`, in plain TypeScript. It is the oracle of the tests, the fallback where OpenSSL
 * lacks an algorithm, and the only back end that signs ML-DSA deterministically and encapsulates from given randomness.
 *
 * JavaScript gives no constant-time guarantee; the production back end is `node.ts`.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519 as nobleEd25519, x25519 as nobleX25519 } from '@noble/curves/ed25519.js';
import { p256 as nobleP256 } from '@noble/curves/nist.js';
import { bytesToNumberLE } from '@noble/curves/utils.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { sha3_256, shake256 } from '@noble/hashes/sha3.js';
import { type DSA, ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concat, equalBytes, wipe } from '#hal/core/bytes';
import type { Aead, CryptoBackend, Encapsulation, Kem, KeyAgreement, SignatureScheme } from './backend.ts';
import { isEd25519Point, isP256Secret, isUncompressedPoint, maxContextBytes, orRefuse, requireBytes } from './checks.ts';

const hashes = { sha1, sha256, sha384, sha512, 'sha3-256': sha3_256 } as const;

const chacha20Poly1305: Aead = {
  seal(key, nonce, associated, plaintext) {
    requireBytes(key, 32, 'key');
    requireBytes(nonce, 12, 'nonce');
    return chacha20poly1305(key, nonce, associated).encrypt(plaintext);
  },
  open(key, nonce, associated, sealed) {
    requireBytes(key, 32, 'key');
    requireBytes(nonce, 12, 'nonce');
    return orRefuse(() => chacha20poly1305(key, nonce, associated).decrypt(sealed));
  },
};

const x25519: KeyAgreement = {
  publicKey(secret) {
    requireBytes(secret, 32, 'secret');
    return nobleX25519.getPublicKey(secret);
  },
  shared(secret, publicKey) {
    requireBytes(secret, 32, 'secret');
    return orRefuse(() => nobleX25519.getSharedSecret(secret, publicKey)); // throws on all-zero, RFC 7748 §6.1
  },
};

const { Point } = nobleEd25519;

const ed25519: SignatureScheme = {
  publicKeyBytes: 32,
  signatureBytes: 64,
  publicKey(secret) {
    requireBytes(secret, 32, 'secret');
    return nobleEd25519.getPublicKey(secret);
  },
  sign(secret, message, context) {
    requireBytes(secret, 32, 'secret');
    return context === undefined ? nobleEd25519.sign(message, secret) : undefined;
  },
  /**
   * RFC 8032 §5.1.7 over noble's points. noble's own `verify` multiplies by the cofactor, OpenSSL does not; the RFC
   * allows both, so signatures exist that only one of them takes. Here R is recomputed and compared as bytes, as
   * OpenSSL does, which also refuses every second encoding of R.
   */
  verify(publicKey, message, signature, context) {
    if (context !== undefined || signature.length !== 64) return false;
    const R = signature.subarray(0, 32);
    if (!isEd25519Point(publicKey) || !isEd25519Point(R)) return false;
    const S = bytesToNumberLE(signature.subarray(32));
    if (S >= Point.Fn.ORDER) return false;
    const A = orRefuse(() => Point.fromBytes(publicKey));
    if (A === undefined) return false;
    const k = Point.Fn.create(bytesToNumberLE(sha512(concat(R, publicKey, message))));
    return equalBytes(Point.BASE.multiplyUnsafe(S).subtract(A.multiplyUnsafe(k)).toBytes(), R);
  },
};

const ecdsaOptions = { prehash: true, lowS: false, format: 'compact' } as const;

/** Signs with the nonce of RFC 6979; `node.ts` draws it at random. */
const p256: SignatureScheme = {
  publicKeyBytes: 65,
  signatureBytes: 64,
  publicKey(secret) {
    requireScalar(secret);
    return nobleP256.getPublicKey(secret, false);
  },
  sign(secret, message, context) {
    requireScalar(secret);
    return context === undefined ? nobleP256.sign(message, secret, ecdsaOptions) : undefined;
  },
  verify(publicKey, message, signature, context) {
    if (context !== undefined || signature.length !== 64 || !isUncompressedPoint(publicKey)) return false;
    return nobleP256.verify(signature, message, publicKey, ecdsaOptions);
  },
};

const requireScalar = (secret: Uint8Array): void => {
  if (!isP256Secret(secret)) throw new RangeError('secret is not a scalar of P-256');
};

/** FIPS 204 Table 2: sizes of keys and signatures. */
const mlDsa = (scheme: DSA, publicKeyBytes: number, signatureBytes: number) => {
  const withSecretKey = <T>(seed: Uint8Array, use: (secretKey: Uint8Array) => T): T => {
    requireBytes(seed, 32, 'seed');
    const { secretKey } = scheme.keygen(seed);
    const result = use(secretKey);
    wipe(secretKey);
    return result;
  };
  const isContext = (context: Uint8Array): boolean => context.length <= maxContextBytes;
  return {
    publicKeyBytes,
    signatureBytes,
    publicKey(seed) {
      requireBytes(seed, 32, 'seed');
      const { publicKey, secretKey } = scheme.keygen(seed);
      wipe(secretKey);
      return publicKey;
    },
    sign: (seed, message, context = new Uint8Array(0)) =>
      withSecretKey(seed, (key) => (isContext(context) ? scheme.sign(message, key, { context }) : undefined)),
    verify: (publicKey, message, signature, context = new Uint8Array(0)) =>
      publicKey.length === publicKeyBytes &&
      signature.length === signatureBytes &&
      isContext(context) &&
      scheme.verify(signature, message, publicKey, { context }),
    signDeterministic: (seed: Uint8Array, message: Uint8Array, context = new Uint8Array(0)): Uint8Array | undefined =>
      withSecretKey(seed, (key) =>
        isContext(context) ? scheme.sign(message, key, { context, extraEntropy: false }) : undefined,
      ),
    signRepresentative(seed: Uint8Array, representative: Uint8Array): Uint8Array {
      requireBytes(representative, 64, 'representative');
      return withSecretKey(seed, (key) => scheme.internal.sign(representative, key, { extraEntropy: false, externalMu: true }));
    },
  } satisfies SignatureScheme;
};

/** FIPS 203 Table 3. */
const mlKem768 = {
  seedBytes: 64,
  publicKeyBytes: 1184,
  ciphertextBytes: 1088,
  publicKey(seed) {
    requireBytes(seed, 64, 'seed');
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    wipe(secretKey);
    return publicKey;
  },
  encapsulate: (publicKey) => encapsulation(() => ml_kem768.encapsulate(publicKey)),
  decapsulate(seed, ciphertext) {
    requireBytes(seed, 64, 'seed');
    if (ciphertext.length !== mlKem768.ciphertextBytes) return undefined;
    const { secretKey } = ml_kem768.keygen(seed);
    const shared = ml_kem768.decapsulate(ciphertext, secretKey);
    wipe(secretKey);
    return shared;
  },
  encapsulateSeeded(publicKey: Uint8Array, randomness: Uint8Array): Encapsulation | undefined {
    requireBytes(randomness, 32, 'm');
    return encapsulation(() => ml_kem768.encapsulate(publicKey, randomness));
  },
} as const satisfies Kem;

/** noble throws where FIPS 203 §7.2 refuses the key. */
const encapsulation = (run: () => { cipherText: Uint8Array; sharedSecret: Uint8Array }): Encapsulation | undefined => {
  const made = orRefuse(run);
  return made && { ciphertext: made.cipherText, shared: made.sharedSecret };
};

export const nobleCrypto = {
  name: 'noble',
  hash(algorithm, ...parts) {
    const hash = hashes[algorithm].create();
    for (const part of parts) hash.update(part);
    return hash.digest();
  },
  shake256: (bytes, lengthBytes) => shake256(bytes, { dkLen: lengthBytes }),
  hmac(key, ...parts) {
    const mac = hmac.create(sha256, key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  },
  hkdf: (secret, salt, info, lengthBytes) =>
    lengthBytes <= 255 * 32 ? hkdf(sha256, secret, salt, info, lengthBytes) : undefined,
  chacha20Poly1305,
  x25519,
  ed25519,
  p256,
  mlDsa44: mlDsa(ml_dsa44, 1312, 2420),
  mlDsa65: mlDsa(ml_dsa65, 1952, 3309),
  mlDsa87: mlDsa(ml_dsa87, 2592, 4627),
  mlKem768,
} as const satisfies CryptoBackend;
