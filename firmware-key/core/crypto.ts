/**
 * What the Key asks of its secure side while it thinks: symmetric, deterministic, and quick. Everything that needs
 * randomness or a long-lived secret (handshakes, capsules) is an effect and comes back as an input.
 */
import { ascii, empty, join } from './octets.ts';

export interface KeyCrypto {
  /** HMAC-SHA-256. */
  hmac(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** ChaCha20-Poly1305, RFC 8439: key 32, nonce 12, tag appended. */
  seal(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** undefined where the tag is wrong */
  open(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  /** A slow function of a PIN under a key that never leaves the secure side; 32 bytes, the same cost for every PIN. */
  pinTag(salt: Uint8Array, pin: Uint8Array): Uint8Array;
}

/** HKDF-Expand of one block, RFC 5869 §2.3; the secrets that it is used with are uniform. */
export const derive = (crypto: KeyCrypto, secret: Uint8Array, label: string, context: Uint8Array = empty): Uint8Array =>
  crypto.hmac(secret, join(ascii(`enigm ${label}`), context, Uint8Array.of(1)));
