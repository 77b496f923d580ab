/**
 * Hybrid Public Key Encryption: modes base and psk, HKDF-SHA256 (0x0001), ChaCha20-Poly1305 (0x0003).
 *
 * Source: RFC 9180; KEM 0x647a (MLKEM768-X25519) from draft-ietf-hpke-pq, vectors of commit 74dafaa6. A psk
 * authenticates the sender to whoever shares it, and keeps the content closed when the KEM falls (§5.1.2); it gives no
 * forward secrecy against the receiver's key (§9.1.1).
 */
import { concat, u16be, u64be, utf8, wipe } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend, Kem } from './backend.ts';
import { labeledExpand, labeledExtract } from './hpke-kdf.ts';

/** §7.1 and draft-ietf-hpke-pq: the KEMs of this toolkit, `dhKem` and `xWing`. */
export const hpkeKemIds = { dhkemX25519: 0x0020, mlkem768X25519: 0x647a } as const;
type KemId = (typeof hpkeKemIds)[keyof typeof hpkeKemIds];

/** §9.5: at least 32 bytes of full entropy, and a name that both sides give it. */
export interface PreSharedKey {
  readonly psk: Uint8Array;
  readonly id: Uint8Array;
}

/** What both sides hold after the key schedule (§5.1): the AEAD key, the nonce that counts up, the exporter's secret. */
export interface KeySchedule {
  readonly key: Uint8Array;
  readonly baseNonce: Uint8Array;
  readonly exporterSecret: Uint8Array;
}

export interface Sender {
  readonly enc: Uint8Array;
  readonly context: HpkeContext;
}

export interface Hpke {
  readonly kem: Kem;
  /** §5.1 SetupBaseS, SetupPSKS. @returns `integrity/peer-key-invalid` for a public key that the KEM refuses */
  sender(publicKey: Uint8Array, info: Uint8Array, psk?: PreSharedKey): Result<Sender>;
  /** §5.1 SetupBaseR, SetupPSKR. @returns `integrity/decryption-failed` for an encapsulation that the KEM refuses */
  receiver(enc: Uint8Array, seed: Uint8Array, info: Uint8Array, psk?: PreSharedKey): Result<HpkeContext>;
  /** §6.1 single-shot: `enc ‖ ciphertext`. */
  seal(publicKey: Uint8Array, info: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, psk?: PreSharedKey): Result<Uint8Array>;
  open(seed: Uint8Array, info: Uint8Array, aad: Uint8Array, sealed: Uint8Array, psk?: PreSharedKey): Result<Uint8Array>;
}

export const hpke = (backend: CryptoBackend, kemId: KemId, kem: Kem): Hpke => {
  const sender: Hpke['sender'] = (publicKey, info, psk) => {
    const made = kem.encapsulate(publicKey);
    if (made === undefined) return deny('integrity', 'peer-key-invalid', 'HPKE public key');
    const context = new HpkeContext(backend, kemId, keySchedule(backend, kemId, made.shared, info, psk));
    wipe(made.shared);
    return ok({ enc: made.ciphertext, context });
  };
  const receiver: Hpke['receiver'] = (enc, seed, info, psk) => {
    const shared = kem.decapsulate(seed, enc);
    if (shared === undefined) return deny('integrity', 'decryption-failed', 'HPKE encapsulation');
    const context = new HpkeContext(backend, kemId, keySchedule(backend, kemId, shared, info, psk));
    wipe(shared);
    return ok(context);
  };
  return {
    kem,
    sender,
    receiver,
    seal(publicKey, info, aad, plaintext, psk) {
      const made = sender(publicKey, info, psk);
      return made.ok ? ok(concat(made.value.enc, made.value.context.seal(aad, plaintext))) : made;
    },
    open(seed, info, aad, sealed, psk) {
      if (sealed.length < kem.ciphertextBytes) return deny('integrity', 'decryption-failed', 'shorter than its encapsulation');
      const context = receiver(sealed.subarray(0, kem.ciphertextBytes), seed, info, psk);
      return context.ok ? context.value.open(aad, sealed.subarray(kem.ciphertextBytes)) : context;
    },
  };
};

const none = new Uint8Array(0);

/** §5.1: suite_id = "HPKE" ‖ kem_id ‖ kdf_id ‖ aead_id. */
const suiteIdOf = (kemId: KemId): Uint8Array => concat(utf8('HPKE'), u16be(kemId), u16be(0x0001), u16be(0x0003));

/** §5.1 KeySchedule; VerifyPSKInputs: a psk comes with its id or not at all. */
export const keySchedule = (
  backend: CryptoBackend,
  kemId: KemId,
  shared: Uint8Array,
  info: Uint8Array,
  psk?: PreSharedKey,
): KeySchedule => {
  if (psk !== undefined && (psk.psk.length < 32 || psk.id.length === 0)) throw new RangeError('a psk has 32 bytes and a name');
  const suiteId = suiteIdOf(kemId);
  const mode = psk === undefined ? 0x00 : 0x01;
  const pskIdHash = labeledExtract(backend, suiteId, none, 'psk_id_hash', psk?.id ?? none);
  const infoHash = labeledExtract(backend, suiteId, none, 'info_hash', info);
  const context = concat(Uint8Array.of(mode), pskIdHash, infoHash);
  const secret = labeledExtract(backend, suiteId, shared, 'secret', psk?.psk ?? none);
  const schedule = {
    key: labeledExpand(backend, suiteId, secret, 'key', context, 32),
    baseNonce: labeledExpand(backend, suiteId, secret, 'base_nonce', context, 12),
    exporterSecret: labeledExpand(backend, suiteId, secret, 'exp', context, 32),
  };
  wipe(secret);
  return schedule;
};

/** One direction of one setup; each call of `seal` or `open` uses the next nonce (§5.2). */
export class HpkeContext {
  private sequence = 0;
  private readonly backend: CryptoBackend;
  private readonly suiteId: Uint8Array;
  private readonly schedule: KeySchedule;

  constructor(backend: CryptoBackend, kemId: KemId, schedule: KeySchedule) {
    this.backend = backend;
    this.suiteId = suiteIdOf(kemId);
    this.schedule = schedule;
  }

  seal(aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = this.backend.chacha20Poly1305.seal(this.schedule.key, this.nonce(), aad, plaintext);
    this.sequence += 1;
    return sealed;
  }

  /** @returns the plaintext, or `integrity/decryption-failed`: then the sequence stays where it was (§5.2) */
  open(aad: Uint8Array, sealed: Uint8Array): Result<Uint8Array> {
    const plaintext = this.backend.chacha20Poly1305.open(this.schedule.key, this.nonce(), aad, sealed);
    if (plaintext === undefined) return deny('integrity', 'decryption-failed', 'HPKE ciphertext');
    this.sequence += 1;
    return ok(plaintext);
  }

  /** §5.3 Export. */
  exportSecret(exporterContext: Uint8Array, lengthBytes: number): Uint8Array {
    return labeledExpand(this.backend, this.suiteId, this.schedule.exporterSecret, 'sec', exporterContext, lengthBytes);
  }

  /** Afterwards nothing can be sealed, opened or exported that could be before. */
  wipe(): void {
    wipe(this.schedule.key, this.schedule.baseNonce, this.schedule.exporterSecret);
  }

  /** §5.2 ComputeNonce. */
  private nonce(): Uint8Array {
    const nonce = concat(new Uint8Array(4), u64be(this.sequence));
    for (let index = 0; index < 12; index++) nonce[index] = (nonce[index] ?? 0) ^ (this.schedule.baseNonce[index] ?? 0);
    return nonce;
  }
}
