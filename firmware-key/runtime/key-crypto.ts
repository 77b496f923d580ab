/** The Key's symmetric capability over a crypto back end; also what contacts and hosts read its bytes with. */
import { concat } from '#hal/core/bytes';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { KeyCrypto } from '../core/crypto.ts';

/** @param pinRounds HMACs for one PIN, whatever the PIN is */
export const keyCrypto = (backend: CryptoBackend, deviceKey: Uint8Array, pinRounds: number): KeyCrypto => ({
  hmac: (key, data) => backend.hmac(key, data),
  seal: (key, nonce, associated, plaintext) => backend.chacha20Poly1305.seal(key, nonce, associated, plaintext),
  open: (key, nonce, associated, sealed) => backend.chacha20Poly1305.open(key, nonce, associated, sealed),
  pinTag(salt, pin) {
    let tag = backend.hmac(deviceKey, concat(salt, Uint8Array.of(pin.length), pin));
    for (let round = 1; round < pinRounds; round++) tag = backend.hmac(deviceKey, tag);
    return tag;
  },
});
