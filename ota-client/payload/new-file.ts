/** Files that are written front to back, however large they become, and are there when they are whole. */
import { createHash } from 'node:crypto';
import { ok, type Result } from '#hal/core/result';
import type { PinnedFile } from './files.ts';

export interface NewFile {
  append(bytes: Uint8Array): Promise<Result<void>>;
  /** Durable and whole under its path before it resolves. */
  finish(): Promise<Result<void>>;
  /** Nothing is left of it; after `finish` nothing happens. */
  abandon(): Promise<void>;
}

/** @returns the file, which replaces one of that path when it is finished; or a fault of the medium */
export type CreateFile = (path: string) => Promise<Result<NewFile>>;

/** Hashed as it is written. */
export interface PinnedWriter {
  append(bytes: Uint8Array): Promise<Result<void>>;
  finish(): Promise<Result<PinnedFile>>;
}

export type OpenWriter = (path: string) => Promise<Result<PinnedWriter>>;

/** @returns what `work` makes of its files, which has finished them; where it refuses or throws, what is not finished is gone */
export const writeFiles = async <T>(create: CreateFile, work: (open: OpenWriter) => Promise<Result<T>>): Promise<Result<T>> => {
  const files: NewFile[] = [];
  const open: OpenWriter = async (path) => {
    const file = await create(path);
    if (!file.ok) return file;
    files.push(file.value);
    return ok(pinnedWriter(path, file.value));
  };
  try {
    return await work(open);
  } finally {
    for (const file of files) await file.abandon();
  }
};

/** One that is in memory already. */
export const writeWhole = async (open: OpenWriter, path: string, bytes: Uint8Array): Promise<Result<PinnedFile>> => {
  const file = await open(path);
  if (!file.ok) return file;
  const written = await file.value.append(bytes);
  return written.ok ? file.value.finish() : written;
};

const pinnedWriter = (path: string, file: NewFile): PinnedWriter => {
  const digest = createHash('sha256');
  let lengthBytes = 0;
  return {
    append(bytes) {
      digest.update(bytes);
      lengthBytes += bytes.length;
      return file.append(bytes);
    },
    async finish() {
      const finished = await file.finish();
      return finished.ok ? ok({ path, sha256: new Uint8Array(digest.digest()), lengthBytes }) : finished;
    },
  };
};
