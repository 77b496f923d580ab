/** Work that may not take longer than it may. */
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
