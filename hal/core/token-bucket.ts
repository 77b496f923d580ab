/** A rate with a burst: `burst` tokens at first, `perSecond` more each second, never above `burst`. */
import type { Clock } from '#hal/ports/clock';

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export interface TokenBucket {
  /** Takes one token; false when there is none. */
  take(): boolean;
}

export const tokenBucket = (clock: Clock, { burst, perSecond }: Rate): TokenBucket => {
  let tokens = burst;
  let atMs = clock.bootMs();
  return {
    take() {
      const nowMs = clock.bootMs();
      tokens = Math.min(burst, tokens + ((nowMs - atMs) * perSecond) / 1000);
      atMs = nowMs;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
};
