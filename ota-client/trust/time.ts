/** Time for expiry (SR-16): a clock that may be lost, and a floor below which it certainly is not. */
import { deny, ok, type Result } from '#hal/core/result';

export interface TrustedTime {
  /** The wall clock; undefined where the device knows that it has lost it. */
  readonly nowMs: number | undefined;
  /** The latest of build time, signed times and expiries that this device has seen. */
  readonly floorMs: number;
}

/** A clock that is this much behind the floor is one that drifts, not one that was lost. */
export const clockDriftMs = 5 * 60_000;

/** @returns the fixed start of an update (TUF 1.0 §5.1), or `posture/time-unknown` */
export const updateStart = ({ nowMs, floorMs }: TrustedTime): Result<number> =>
  nowMs === undefined || nowMs + clockDriftMs < floorMs ? deny('posture', 'time-unknown') : ok(Math.max(nowMs, floorMs));

const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** TUF 1.0 §4.2.1, date-time: exactly `YYYY-MM-DDTHH:MM:SSZ`; undefined for any other text and for a 30th of February. */
export const instantOf = (text: string): number | undefined => {
  const timeMs = instant.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(timeMs) && textOfInstant(timeMs) === text ? timeMs : undefined;
};

export const textOfInstant = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
