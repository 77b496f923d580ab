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

/** A file on its way, under another name until it is whole. */
export interface UnfinishedFile {
  append(bytes: Uint8Array): Result<void>;
  /** @returns nothing once it is there for good, or `unavailable/storage-failed`; the old file is then still there */
  finish(): Result<void>;
  /** Nothing is left of it; harmless after `finish`. */
  abandon(): void;
}

/**
 * Written front to back, however large it becomes. Node refuses fsync under `--permission`, so this is for programs without it;
 * those with it keep their state in SQLite.
 * @returns the file, or `unavailable/storage-failed`
 */
export const createAtomically = (path: string, mode = 0o600, calls = nodeCalls): Result<UnfinishedFile> => {
  const temporary = `${path}.new`;
  return attempt(() => {
    calls.remove(temporary);
    const file = calls.create(temporary, mode);
    let isOpen = true;
    let isThere = false;
    const close = () => {
      if (isOpen) calls.close(file);
      isOpen = false;
    };
    return {
      append: (bytes) => attempt(() => calls.write(file, bytes), storageFailed),
      finish: () =>
        attempt(() => {
          try {
            calls.sync(file);
          } finally {
            close();
          }
          calls.rename(temporary, path);
          isThere = true;
          syncFolder(dirname(path), calls);
        }, storageFailed),
      abandon() {
        const left = attempt(() => {
          close();
          if (!isThere) calls.remove(temporary);
        }, storageFailed);
        // What is left of it, the next file of that name removes.
        void left;
      },
    };
  }, storageFailed);
};

const syncFolder = (path: string, calls: FileCalls): void => {
  const folder = calls.openFolder(path);
  try {
    calls.sync(folder);
  } finally {
    calls.close(folder);
  }
};

const storageFailed = (cause: string) => deny('unavailable', 'storage-failed', cause);

/** Whole bytes, by `createAtomically`. @returns nothing, or `unavailable/storage-failed`; the old file is then still there */
export const writeAtomically = (path: string, bytes: Uint8Array, mode = 0o600, calls = nodeCalls): Result<void> => {
  const file = createAtomically(path, mode, calls);
  if (!file.ok) return file;
  const written = file.value.append(bytes);
  if (written.ok) return file.value.finish();
  file.value.abandon();
  return written;
};

/** @returns the bytes, undefined where there is no file, or `unavailable/storage-failed` */
export const readIfThere = (path: string): Result<Uint8Array | undefined> => {
  try {
    return ok(new Uint8Array(readFileSync(path)));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? ok(undefined) : deny('unavailable', 'storage-failed', message);
  }
};
