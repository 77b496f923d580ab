/**
 * The TPM's own clock as a witness that no earlier state of it was restored (TPM 2.0 Part 1 §36).
 *
 * `resetCount` only goes up in the TPM's non-volatile memory; within one reset the clock only goes up and stays safe
 * once it is. A clock that is not safe after a reset (power was cut) may honestly lie behind: the higher reset count
 * speaks for it, so a power cut never locks a device out.
 */
import { deny, done, type Result } from '#hal/core/result';
import type { ClockInfo } from '#hal/tpm/attest';

/** @returns nothing, or `attestation/clock-rollback`, `attestation/clock-unsafe` */
export const checkClock = (last: ClockInfo | undefined, now: ClockInfo): Result<void> => {
  if (last === undefined) return done;
  if (now.resetCount < last.resetCount) return deny('attestation', 'clock-rollback', 'reset count');
  if (now.resetCount > last.resetCount)
    return now.isSafe && now.clockMs < last.clockMs ? deny('attestation', 'clock-rollback', 'clock after a reset') : done;
  if (now.restartCount < last.restartCount) return deny('attestation', 'clock-rollback', 'restart count');
  if (now.clockMs < last.clockMs) return deny('attestation', 'clock-rollback', 'clock');
  if (last.isSafe && !now.isSafe) return deny('attestation', 'clock-unsafe');
  return done;
};
