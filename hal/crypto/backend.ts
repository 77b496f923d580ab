/**
 * The primitives, behind one interface with two implementations: `node.ts` (OpenSSL 3.5, production) and `noble.ts`
 * (second implementation, fallback and oracle). Sizes are in bytes; secrets are raw seeds as their standard names them.
 *
 * `undefined` means "refused": a key, point, ciphertext or signature that the standard rejects. A wrong size of one's
 * own secret is a programmer's error and throws.
 */
export interface CryptoBackend {
  readonly name: 'node' | 'noble';
  hash(algorithm: HashName, ...parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC-SHA-256, RFC 2104. */
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** HKDF-SHA-256, RFC 5869; undefined above 255 × 32 bytes. */
  hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, lengthBytes: number): Uint8Array | undefined;
  readonly chacha20Poly1305: Aead;
  readonly x25519: KeyAgreement;
  readonly ed25519: SignatureScheme;
  /** ECDSA with SHA-256 on P-256: keys as uncompressed points (65), signatures as r‖s (64). */
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

/** RFC 7748: an all-zero shared secret is refused. */
export interface KeyAgreement {
  publicKey(secret: Uint8Array): Uint8Array;
  shared(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
}

export interface SignatureScheme {
  readonly publicKeyBytes: number;
  readonly signatureBytes: number;
  /** @param secret the 32-byte seed (RFC 8032, FIPS 204 ξ) or scalar (P-256) */
  publicKey(secret: Uint8Array): Uint8Array;
  /** @param context FIPS 204 context of at most 255 bytes; undefined where the scheme has none or it is too long */
  sign(secret: Uint8Array, message: Uint8Array, context?: Uint8Array): Uint8Array | undefined;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, context?: Uint8Array): boolean;
  /** FIPS 204 §3.4 deterministic variant, where the back end can do it: same input, same bytes. */
  readonly signDeterministic?: (secret: Uint8Array, message: Uint8Array, context?: Uint8Array) => Uint8Array | undefined;
}

/** FIPS 203: seed d‖z (64), public key 1184, ciphertext 1088, shared secret 32. */
export interface Kem {
  publicKey(seed: Uint8Array): Uint8Array;
  encapsulate(publicKey: Uint8Array): Encapsulation | undefined;
  decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
  /** With the 32 bytes m chosen by the caller, where the back end can do it. */
  readonly encapsulateSeeded?: (publicKey: Uint8Array, m: Uint8Array) => Encapsulation | undefined;
}

export interface Encapsulation {
  readonly ciphertext: Uint8Array;
  readonly shared: Uint8Array;
}
