/** Small secrets that only one machine gives back, and only to whoever knows their PIN. */
import type { Result } from '#hal/core/result';

/** What may lie anywhere: no secret is in it. */
export interface PinSealed {
  /** By which the machine's root of storage is known: 34 bytes of a TPM. */
  readonly root: Uint8Array;
  /** What the machine wrapped. */
  readonly wrapped: Uint8Array;
}

export interface PinVault {
  /** @param secret 1 to 64 bytes. @returns its sealed form; or `unavailable/tpm-unguarded`, and the faults of `open` */
  seal(secret: Uint8Array): Promise<Result<PinSealed>>;
  /**
   * @returns the secret, to be wiped; or `identity/pin-refused`, `unavailable/tpm-locked-out` after too many of those,
   *   `unavailable/sealed-elsewhere`, `integrity/decryption-failed` for what is not as it was sealed,
   *   `unavailable/tpm-missing`, `unavailable/tpm-failed`
   */
  open(sealed: PinSealed): Promise<Result<Uint8Array>>;
}
