/**
 * X-Wing, the KEM of X25519 and ML-KEM-768 that HPKE calls 0x647a.
 *
 * Source: draft-connolly-cfrg-xwing-kem-10 §5 (X-Wing in HPKE-PQ: MLKEM768-X25519, the same bytes). One deliberate
 * difference: where the X25519 share gives an all-zero secret the draft goes on, and we refuse (RFC 7748 §6.1).
 */
import { concat, wipe } from '#hal/core/bytes';
import type { Random } from '#hal/ports/random';
import type { CryptoBackend, Encapsulation, Kem } from './backend.ts';
import { requireBytes } from './checks.ts';

/** §5.3: the ASCII art of an X-wing, `\.//^\`. */
const label = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c);

/** §5.1: seed (32), pk_M‖pk_X (1184 + 32), ct_M‖ct_X (1088 + 32). The shared secret has 32 bytes. */
const sizes = { seedBytes: 32, publicKeyBytes: 1216, ciphertextBytes: 1120 } as const;
const mlKemPublicKeyBytes = 1184;
const mlKemCiphertextBytes = 1088;

/**
 * @param random draws the X25519 ephemeral key; the randomness of ML-KEM is the back end's own
 * @returns a KEM whose `encapsulateSeeded` (§5.4.1, eseed of 64 bytes) exists where the back end's ML-KEM has it
 */
export const xWing = (backend: CryptoBackend, random: Random): Kem => {
  const { mlKem768, x25519 } = backend;
  const { encapsulateSeeded } = mlKem768;

  /** §5.2 expandDecapsulationKey: d‖z for ML-KEM, then the scalar of X25519. */
  const expand = (seed: Uint8Array) => {
    requireBytes(seed, sizes.seedBytes, 'seed');
    const expanded = backend.shake256(seed, 96);
    return { expanded, mlKemSeed: expanded.subarray(0, 64), x25519Secret: expanded.subarray(64, 96) };
  };

  /** §5.3 Combiner. */
  const combine = (sharedM: Uint8Array, sharedX: Uint8Array, ciphertextX: Uint8Array, publicKeyX: Uint8Array): Uint8Array =>
    backend.hash('sha3-256', sharedM, sharedX, ciphertextX, publicKeyX, label);

  /** §5.4, with the ephemeral scalar ek_X given and ML-KEM left to `encapsulateM`. */
  const encapsulateWith = (
    publicKey: Uint8Array,
    ephemeral: Uint8Array,
    encapsulateM: (publicKeyM: Uint8Array) => Encapsulation | undefined,
  ): Encapsulation | undefined => {
    if (publicKey.length !== sizes.publicKeyBytes) return undefined;
    const publicKeyX = publicKey.subarray(mlKemPublicKeyBytes);
    const ciphertextX = x25519.publicKey(ephemeral);
    const sharedX = x25519.shared(ephemeral, publicKeyX);
    const m = encapsulateM(publicKey.subarray(0, mlKemPublicKeyBytes)); // §4: performs the check of FIPS 203 §7.2
    if (sharedX === undefined || m === undefined) return undefined;
    const shared = combine(m.shared, sharedX, ciphertextX, publicKeyX);
    wipe(m.shared, sharedX);
    return { ciphertext: concat(m.ciphertext, ciphertextX), shared };
  };

  const kem: Kem = {
    ...sizes,
    /** §5.2.1 GenerateKeyPairDerand. */
    publicKey(seed) {
      const { expanded, mlKemSeed, x25519Secret } = expand(seed);
      const publicKey = concat(mlKem768.publicKey(mlKemSeed), x25519.publicKey(x25519Secret));
      wipe(expanded);
      return publicKey;
    },
    /** §5.4 Encapsulate. */
    encapsulate(publicKey) {
      const ephemeral = random.bytes(32);
      const encapsulation = encapsulateWith(publicKey, ephemeral, (publicKeyM) => mlKem768.encapsulate(publicKeyM));
      wipe(ephemeral);
      return encapsulation;
    },
    /** §5.5 Decapsulate. */
    decapsulate(seed, ciphertext) {
      const { expanded, mlKemSeed, x25519Secret } = expand(seed);
      try {
        if (ciphertext.length !== sizes.ciphertextBytes) return undefined;
        const ciphertextX = ciphertext.subarray(mlKemCiphertextBytes);
        const sharedX = x25519.shared(x25519Secret, ciphertextX);
        const sharedM = mlKem768.decapsulate(mlKemSeed, ciphertext.subarray(0, mlKemCiphertextBytes));
        if (sharedX === undefined || sharedM === undefined) return undefined;
        const shared = combine(sharedM, sharedX, ciphertextX, x25519.publicKey(x25519Secret));
        wipe(sharedM, sharedX);
        return shared;
      } finally {
        wipe(expanded);
      }
    },
  };
  if (encapsulateSeeded === undefined) return kem;
  return {
    ...kem,
    /** §5.4.1 EncapsulateDerand: m‖ek_X. */
    encapsulateSeeded(publicKey, eseed) {
      requireBytes(eseed, 64, 'eseed');
      return encapsulateWith(publicKey, eseed.subarray(32), (publicKeyM) => encapsulateSeeded(publicKeyM, eseed.subarray(0, 32)));
    },
  };
};
