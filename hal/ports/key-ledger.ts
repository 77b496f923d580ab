/**
 * What became of keys: the epoch that each of the device's own classes is in, and the list of revoked keys. Both only
 * ever grow.
 */
import type { Result } from '#hal/core/result';
import type { KeyClass, KeyEpoch, KeyRevocation, KeyRotation, KeysState } from '#protos/gen/types';

export interface KeyLedger {
  /** Every class of the device's own, also one that never was rotated. @returns the state, or `unavailable/storage-failed` */
  read(): Result<KeysState>;
  /**
   * From now on the class has the key of this epoch, signed by the one before. Durable before it returns.
   * @returns nothing; `protocol/field-invalid` for another epoch than the next one or another key than that epoch makes,
   * `resource/count-limit` after the last epoch, what unsealing and the store return
   */
  rotate(rotation: KeyRotation): Promise<Result<void>>;
  /** For good. Durable before it returns. @returns nothing, also where it was revoked before; or `resource/count-limit` */
  revoke(revocation: KeyRevocation): Result<void>;
}

/** A class that is newer than the record is in its first epoch. */
export const epochIn = ({ epochs }: KeysState, keyClass: KeyClass): KeyEpoch =>
  epochs.find((one) => one.keyClass === keyClass) ?? { keyClass, epoch: 1, successions: [] };
