/** DHKEM(X25519, HKDF-SHA256), HPKE's KEM 0x0020. Source: RFC 9180 §4.1. */
import { concat, utf8, wipe } from '#hal/core/bytes';
import type { Random } from '#hal/ports/random';
import type { CryptoBackend, Encapsulation, Kem } from './backend.ts';
import { labeledExpand, labeledExtract } from './hpke-kdf.ts';

/** §4.1: suite_id = "KEM" ‖ I2OSP(kem_id, 2). */
const suiteId = concat(utf8('KEM'), Uint8Array.of(0x00, 0x20));
const none = new Uint8Array(0);

/** The seed is the private scalar itself, 32 bytes; ciphertext and public key are points of 32 bytes. */
export const dhKem = (backend: CryptoBackend, random: Random): Kem => {
  const { x25519 } = backend;

  /** §4.1 ExtractAndExpand. */
  const sharedSecret = (dh: Uint8Array, enc: Uint8Array, publicKey: Uint8Array): Uint8Array => {
    const prk = labeledExtract(backend, suiteId, none, 'eae_prk', dh);
    const shared = labeledExpand(backend, suiteId, prk, 'shared_secret', concat(enc, publicKey), 32);
    wipe(dh, prk);
    return shared;
  };

  /** §4.1 Encap, with the ephemeral secret skE given; §7.1.4 refuses an all-zero result. */
  const encapsulateSeeded = (publicKey: Uint8Array, ephemeral: Uint8Array): Encapsulation | undefined => {
    const ciphertext = x25519.publicKey(ephemeral);
    const dh = x25519.shared(ephemeral, publicKey);
    return dh && { ciphertext, shared: sharedSecret(dh, ciphertext, publicKey) };
  };

  return {
    seedBytes: 32,
    publicKeyBytes: 32,
    ciphertextBytes: 32,
    publicKey: (secret) => x25519.publicKey(secret),
    encapsulate(publicKey) {
      const ephemeral = random.bytes(32);
      const encapsulation = encapsulateSeeded(publicKey, ephemeral);
      wipe(ephemeral);
      return encapsulation;
    },
    encapsulateSeeded,
    /** §4.1 Decap. */
    decapsulate(secret, ciphertext) {
      const dh = x25519.shared(secret, ciphertext);
      return dh && sharedSecret(dh, ciphertext, x25519.publicKey(secret));
    },
  };
};
