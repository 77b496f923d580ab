/**
 * What the wall clock of a machine should show when its programs start: a clock without power stands at its beginning, and
 * by it no certificate of a far end is valid, so nobody could be asked what time it is. The newest signed time is a lower
 * bound. Nothing is decided by this clock, before or after (SR-16).
 */
import { builtMs, isInLife } from './time.ts';

/**
 * @param shownMs what the clock shows
 * @param markMs the newest signed time, if any is known; outside the life of this software it is nobody's
 * @returns what to set the clock to, in milliseconds since 1970; undefined where it may be right
 */
export const clockAtStart = (shownMs: number, markMs: number | undefined): number | undefined => {
  const earliestMs = markMs !== undefined && isInLife(markMs, builtMs) ? Math.max(markMs, builtMs) : builtMs;
  return shownMs >= earliestMs && isInLife(shownMs, builtMs) ? undefined : earliestMs;
};
