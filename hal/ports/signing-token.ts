/** One Ed25519 key that never leaves its token: a smart card, a security module. */
import type { Result } from '#hal/core/result';

export interface SigningToken {
  /** A new key under this name. @returns its public key, 32 bytes; `unavailable/token-missing` also where there is one already */
  make(): Promise<Result<Uint8Array>>;
  /** @returns the signature (RFC 8032, pure), 64 bytes; or `unavailable/token-missing`, `identity/pin-refused`, `unavailable/token-failed` */
  sign(message: Uint8Array): Promise<Result<Uint8Array>>;
}

/** Where such a key is. */
export interface TokenKey {
  /** Path of the PKCS #11 module of the token's vendor. */
  readonly module: string;
  /** Label of the token, at most 32 characters. */
  readonly token: string;
  /** Label of the key. */
  readonly key: string;
}
