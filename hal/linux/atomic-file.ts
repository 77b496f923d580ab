/** A file that is either the old one or the new one, whatever happens: temp, fsync, rename, fsync of the folder. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { attempt, deny, ok, type Result } from '#hal/core/result';

/**
 * Node refuses fsync under `--permission`, so this is for programs without it; those with it keep their state in SQLite.
 * @returns nothing, or `unavailable/storage-failed`; the old file is then still there
 */
export const writeAtomically = (path: string, bytes: Uint8Array, mode = 0o600): Result<void> =>
  attempt(
    () => {
      const temporary = `${path}.new`;
      rmSync(temporary, { force: true });
      const file = openSync(temporary, 'wx', mode);
      try {
        for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
      const folder = openSync(dirname(path), 'r');
      try {
        fsyncSync(folder);
      } finally {
        closeSync(folder);
      }
    },
    (cause) => deny('unavailable', 'storage-failed', cause),
  );

/** @returns the bytes, undefined where there is no file, or `unavailable/storage-failed` */
export const readIfThere = (path: string): Result<Uint8Array | undefined> => {
  try {
    return ok(new Uint8Array(readFileSync(path)));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? ok(undefined) : deny('unavailable', 'storage-failed', message);
  }
};
