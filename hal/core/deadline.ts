/** Work that may not take longer than it may, and waiting for it. */
import { deny, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';

/** @returns what `run` gives, or `resource/time-limit` after `limitMs`; then `run`'s signal is aborted */
export const within = async <T>(
  clock: Clock,
  limitMs: number,
  run: (signal: AbortSignal) => Promise<Result<T>>,
): Promise<Result<T>> => {
  const work = new AbortController();
  const timer = new AbortController();
  const late = clock.sleep(limitMs, timer.signal).then(() => deny('resource', 'time-limit'));
  try {
    return await Promise.race([run(work.signal), late]);
  } finally {
    timer.abort();
    work.abort();
  }
};

/** Waits for work that goes on whether or not anybody waits. @returns what it gives, or `unavailable/aborted` */
export const unlessAborted = async <T>(work: Promise<Result<T>>, signal: AbortSignal): Promise<Result<T>> => {
  const { promise, resolve } = Promise.withResolvers<Result<T>>();
  const giveUp = () => resolve(deny('unavailable', 'aborted'));
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
};
