/**
 * What time it is (SR-16): signed time that answered our nonce, carried forward by the boot clock. The system clock
 * is shown and compared, never believed, and never moves this one.
 */
import { deny, ok, type Result } from '#hal/core/result';

export interface SignedTime {
  /** What the verifier signed, in milliseconds since 1970. */
  readonly signedMs: number;
  /** Our boot clock when the answer came. */
  readonly atBootMs: number;
}

/** One source may move the time this far ahead in one life of the mind; further needs a second one. */
export const maxAdvanceMs = 30 * 86_400_000;
/** A device is not used longer than this after its software was built. */
const maxLifeMs = 10 * 365 * 86_400_000;

/**
 * Whether a new signed time may be believed.
 * @param lastSignedMs the newest that was believed before, over all boots
 * @param builtMs when this software was built
 * @param marks what the advance is measured from, each carried forward by the boot clock: the time with which this life
 * began, so that many small steps are no way around the bound; and what other signers said, which is the way back for a
 * device that was off for longer
 * @returns the time, or `posture/time-unknown`
 */
export const acceptTime = (
  next: SignedTime,
  lastSignedMs: number | undefined,
  builtMs: number,
  marks: readonly SignedTime[],
): Result<SignedTime> => {
  if (!isInLife(next.signedMs, builtMs)) return deny('posture', 'time-unknown', 'outside the life of this software');
  if (lastSignedMs === undefined) return ok(next);
  if (next.signedMs < lastSignedMs) return deny('posture', 'time-unknown', 'earlier than a time signed before');
  const furthestMs = Math.max(...marks.map((mark) => trustedNowMs(mark, next.atBootMs) ?? 0));
  if (next.signedMs - furthestMs > maxAdvanceMs) return deny('posture', 'time-unknown', 'more than 30 days ahead, by one source');
  return ok(next);
};

export const isInLife = (signedMs: number, builtMs: number): boolean =>
  signedMs >= builtMs - 86_400_000 && signedMs <= builtMs + maxLifeMs;

/** Milliseconds since 1970 by signed time; undefined where none was signed in this boot. */
export const trustedNowMs = (time: SignedTime | undefined, bootMs: number): number | undefined =>
  time === undefined ? undefined : time.signedMs + (bootMs - time.atBootMs);

/** When the oldest software that may still run was built; moved forward with releases. */
export const builtMs = Date.UTC(2026, 0, 1);
