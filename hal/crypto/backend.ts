/**
 * The primitives, behind one interface with two implementations: `node.ts` (OpenSSL 3.5, production) and `noble.ts`
 * (second implementation, fallback and oracle). Sizes are in bytes; secrets are raw seeds as their standard names them.
 *
 * `undefined` or `false` means "refused": a key, point, ciphertext or signature of somebody else that the standard
 * rejects. A wrong size of one's own secret, nonce or seed is a programmer's error and throws a `RangeError`.
 */
export interface CryptoBackend {
  readonly name: 'node' | 'noble';
  hash(algorithm: HashName, ...parts: readonly Uint8Array[]): Uint8Array;
  /** FIPS 202 §6.2. */
  shake256(bytes: Uint8Array, lengthBytes: number): Uint8Array;
  /** HMAC-SHA-256, RFC 2104. */
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** HKDF-SHA-256, RFC 5869; undefined above 255 × 32 bytes. */
  hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, lengthBytes: number): Uint8Array | undefined;
  readonly chacha20Poly1305: Aead;
  readonly x25519: KeyAgreement;
  /** RFC 8032, strict and alike on both: §5.1.7 without the cofactor, A and R as `isEd25519Point` demands. */
  readonly ed25519: SignatureScheme;
  /** ECDSA with SHA-256 on P-256: keys as uncompressed points (65), signatures as r‖s (64), any s in 1…n-1. */
  readonly p256: SignatureScheme;
  readonly mlDsa44: SignatureScheme;
  readonly mlDsa65: SignatureScheme;
  readonly mlDsa87: SignatureScheme;
  readonly mlKem768: Kem;
}

export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512' | 'sha3-256';

/** RFC 8439: key 32, nonce 12, tag 16 appended to the ciphertext. */
export interface Aead {
  seal(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array;
  open(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** RFC 7748: secret and public key 32 bytes; an all-zero shared secret is refused (§6.1). */
export interface KeyAgreement {
  publicKey(secret: Uint8Array): Uint8Array;
  shared(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
}

export interface SignatureScheme {
  readonly publicKeyBytes: number;
  readonly signatureBytes: number;
  /** @param secret the 32-byte seed (RFC 8032, FIPS 204 ξ) or scalar in 1…n-1 (P-256); any other throws */
  publicKey(secret: Uint8Array): Uint8Array;
  /**
   * ML-DSA signs hedged (FIPS 204 §3.4).
   * @param context FIPS 204 context of at most 255 bytes
   * @returns undefined where a context is given to a scheme that has none, or is too long
   */
  sign(secret: Uint8Array, message: Uint8Array, context?: Uint8Array): Uint8Array | undefined;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, context?: Uint8Array): boolean;
  /** FIPS 204 §3.4 deterministic variant, where the back end can do it: same input, same bytes. */
  readonly signDeterministic?: (secret: Uint8Array, message: Uint8Array, context?: Uint8Array) => Uint8Array | undefined;
  /** The same with the 64-byte representative μ of FIPS 204 §6.2, computed by the caller, in place of the message. */
  readonly signRepresentative?: (secret: Uint8Array, representative: Uint8Array) => Uint8Array;
}

/** FIPS 203: ML-KEM-768 has seed d‖z (64), public key 1184, ciphertext 1088, shared secret 32. */
export interface Kem {
  readonly seedBytes: number;
  readonly publicKeyBytes: number;
  readonly ciphertextBytes: number;
  publicKey(seed: Uint8Array): Uint8Array;
  /** @returns undefined for a key that fails the checks of FIPS 203 §7.2 (size, modulus) */
  encapsulate(publicKey: Uint8Array): Encapsulation | undefined;
  /** @returns undefined for a ciphertext of the wrong size (§7.3); any other gives a secret, by implicit rejection */
  decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
  /** With the randomness (32 bytes m for ML-KEM) chosen by the caller, where the back end can do it. */
  readonly encapsulateSeeded?: (publicKey: Uint8Array, randomness: Uint8Array) => Encapsulation | undefined;
}

export interface Encapsulation {
  readonly ciphertext: Uint8Array;
  readonly shared: Uint8Array;
}
