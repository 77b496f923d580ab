/** Signed time over restarts: the newest that was believed is stored, the present one belongs to this boot. */

import type { StateKeeper } from '#agents/management/state';
import { acceptTime, builtMs, type SignedTime, trustedNowMs } from '#agents/management/time';
import { codeOf } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { TimeKeeper } from './parts.ts';

export const timeKeeper = (clock: Clock, state: StateKeeper, log: Log): TimeKeeper => {
  let present: SignedTime | undefined;
  return {
    nowMs: () => trustedNowMs(present, clock.bootMs()),
    accept(time) {
      const accepted = acceptTime(time, state.current().lastSignedMs, builtMs);
      if (!accepted.ok) {
        log.warn('time.refused', { code: codeOf(accepted.fault), detail: accepted.fault.detail ?? '' });
        return;
      }
      present = accepted.value;
      state.update({ lastSignedMs: accepted.value.signedMs });
    },
  };
};
