/**
 * A time that outlives a clock without power: the time of change of an empty file, as systemd-timesyncd(8) keeps it. Who
 * reads it opens nothing that another program made.
 */
import { lstatSync, utimesSync, writeFileSync } from 'node:fs';
import { attempt, deny, ok, type Result } from '#hal/core/result';

/** @returns nothing, or `unavailable/storage-failed` */
export const leaveClockMark = (path: string, timeMs: number): Result<void> =>
  attempt(
    () => {
      writeFileSync(path, '');
      utimesSync(path, timeMs / 1000, timeMs / 1000);
    },
    (cause) => deny('unavailable', 'storage-failed', cause),
  );

/** @returns milliseconds since 1970; undefined where nobody left a mark */
export const readClockMark = (path: string): Result<number | undefined> => {
  try {
    return ok(Math.trunc(lstatSync(path).mtimeMs));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? ok(undefined) : deny('unavailable', 'storage-failed', message);
  }
};
