/** A file that is either the old one or the new one, whatever happens: temp, fsync, rename, fsync of the folder. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { attempt, deny, ok, type Result } from '#hal/core/result';

/** What writing a file asks of a file system, in the order in which it is asked; each throws where it fails. */
export interface FileCalls {
  /** Nothing where there is no such file. */
  remove(path: string): void;
  /** A new file. @returns its descriptor */
  create(path: string, mode: number): number;
  write(file: number, bytes: Uint8Array): void;
  sync(file: number): void;
  close(file: number): void;
  rename(from: string, to: string): void;
  /** @returns a descriptor of the folder, whose names `sync` makes durable */
  openFolder(path: string): number;
}

const nodeCalls: FileCalls = {
  remove: (path) => rmSync(path, { force: true }),
  create: (path, mode) => openSync(path, 'wx', mode),
  write(file, bytes) {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
  },
  sync: fsyncSync,
  close: closeSync,
  rename: renameSync,
  openFolder: (path) => openSync(path, 'r'),
};

/**
 * Node refuses fsync under `--permission`, so this is for programs without it; those with it keep their state in SQLite.
 * @returns nothing, or `unavailable/storage-failed`; the old file is then still there
 */
export const writeAtomically = (path: string, bytes: Uint8Array, mode = 0o600, calls = nodeCalls): Result<void> =>
  attempt(
    () => {
      const temporary = `${path}.new`;
      calls.remove(temporary);
      const file = calls.create(temporary, mode);
      try {
        calls.write(file, bytes);
        calls.sync(file);
      } finally {
        calls.close(file);
      }
      calls.rename(temporary, path);
      const folder = calls.openFolder(dirname(path));
      try {
        calls.sync(folder);
      } finally {
        calls.close(folder);
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
