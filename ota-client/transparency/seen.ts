/**
 * The largest tree of a log that somebody has seen, so that nobody is shown a smaller one later: kept by devices, and by
 * witnesses for each log.
 */
import { concat, equalBytes, u64be } from '#hal/core/bytes';
import { parse } from '#hal/core/reader';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import type { LogHead } from './checkpoint.ts';

export interface SeenLog {
  /** @returns undefined where none was ever seen; or `unavailable/storage-failed` */
  read(): Result<LogHead | undefined>;
  /** Durable before it returns. */
  keep(head: LogHead): Result<void>;
}

/** @param key of the store, one for each log. Size ‖ root, 40 bytes */
export const seenLog = (store: Pick<DurableStore, 'get' | 'put'>, key: string): SeenLog => ({
  read() {
    const stored = store.get(key);
    if (!stored.ok || stored.value === undefined) return stored.ok ? ok(undefined) : stored;
    return parse(
      stored.value,
      (reader) => ({ size: Number(reader.u64be()), root: new Uint8Array(reader.take(32)) }),
      (why) => deny('unavailable', 'storage-failed', `log seen: ${why}`),
    );
  },
  keep: ({ size, root }) => store.put(key, concat(u64be(size), root)),
});

/** @returns nothing; `integrity/log-rollback` for a smaller tree, `integrity/log-split` for another one of the same size */
export const checkNotBefore = (seen: LogHead | undefined, { size, root }: LogHead): Result<void> => {
  if (seen === undefined || size > seen.size) return done;
  if (size < seen.size) return deny('integrity', 'log-rollback', `${size} after ${seen.size}`);
  return equalBytes(root, seen.root) ? done : deny('integrity', 'log-split', `two trees of ${size}`);
};
