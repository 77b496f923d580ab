/** Signed time over restarts: the newest that was believed is stored, the present one belongs to this boot. */

import type { StateKeeper } from '#agents/management/state';
import { acceptTime, builtMs, isInLife, type SignedTime, trustedNowMs } from '#agents/management/time';
import { codeOf } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { TimeKeeper } from './parts.ts';

/** @param tell hears of each signed time that is believed */
export const timeKeeper = (
  clock: Clock,
  state: StateKeeper,
  log: Log,
  tell: (signedMs: number) => void = () => undefined,
): TimeKeeper => {
  const { lastSignedMs } = state.current();
  let began: SignedTime | undefined =
    lastSignedMs === undefined ? undefined : { signedMs: lastSignedMs, atBootMs: clock.bootMs() };
  let witnessed: SignedTime | undefined;
  let present: SignedTime | undefined;
  return {
    nowMs: () => trustedNowMs(present, clock.bootMs()),
    accept(time) {
      const marks = [began, witnessed].filter((mark) => mark !== undefined);
      const accepted = acceptTime(time, state.current().lastSignedMs, builtMs, marks);
      if (!accepted.ok) {
        log.warn('time.refused', { code: codeOf(accepted.fault), detail: accepted.fault.detail ?? '' });
        return;
      }
      present = accepted.value;
      began ??= present;
      state.update({ lastSignedMs: accepted.value.signedMs });
      tell(accepted.value.signedMs);
    },
    witness(signedMs) {
      const atBootMs = clock.bootMs();
      if (isInLife(signedMs, builtMs) && signedMs > (trustedNowMs(witnessed, atBootMs) ?? 0)) witnessed = { signedMs, atBootMs };
    },
  };
};
