/**
 * The device's own keys: one secret that the TPM seals, one key pair a class derived from it (separation of trust
 * domains). Private halves never leave the hands.
 */

import type { Result } from '#hal/core/result';
import type { KeyClass } from '#protos/gen/types';

export interface DeviceKeys {
  /** @param epoch any one, also one to come; the one in use where none is named */
  publicKey(keyClass: SigningClass, epoch?: number): Promise<Result<HybridPair>>;
  /** Ed25519 and ML-DSA-65 over exactly these bytes, at most 64 KiB, by the key in use. */
  sign(keyClass: SigningClass, message: Uint8Array): Promise<Result<HybridPair>>;
  /** The pseudonym by which one relying party knows this device for one epoch: 16 bytes (SR-21). */
  handle(relyingParty: string, epoch: number): Promise<Result<Uint8Array>>;
}

/** Classes with a key pair; handles have a secret alone. */
export type SigningClass = Exclude<KeyClass, 'handle'>;

/** Public keys or signatures of the two algorithms, raw. */
export interface HybridPair {
  readonly classical: Uint8Array;
  readonly postQuantum: Uint8Array;
}
