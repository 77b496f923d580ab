/** A repository that lies in a folder or in one archive, read part by part as a device asks for it. */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { blockBytes, isArchivePath, paddingBytes, readTarHeader } from '#agents/release/tar';
import { attempt, deny, ok, type Result } from '#hal/core/result';

export interface CarriedRelease {
  /** @returns the part, shorter at the end of the file; undefined where nobody carried it */
  read(path: string, offset: number, mostBytes: number): Result<Uint8Array | undefined>;
  close(): void;
}

const maxEntries = 16_384;
/** As the device asks at most. */
const maxPartBytes = 1024 * 1024;

/** @returns what is there; or `protocol/file-unreadable`, `protocol/malformed`, `resource/count-limit` */
export const openCarried = (place: string): Result<CarriedRelease> => {
  const opened = attempt(
    (): string | number => (statSync(place).isDirectory() ? realpathSync(place) : openSync(place, 'r')),
    (cause) => deny('protocol', 'file-unreadable', cause),
  );
  if (!opened.ok) return opened;
  return typeof opened.value === 'string' ? ok(folder(opened.value)) : archive(opened.value);
};

/** What a repository serves, and all that a device is given of a folder in which more may lie. */
const isServed = (path: string): boolean => isArchivePath(path) && /^(?:director|metadata|targets|log)\//.test(path);

/** @param place without symbolic links in it */
const folder = (place: string): CarriedRelease => ({
  read(path, offset, mostBytes) {
    if (!isServed(path) || !isOffset(offset)) return ok(undefined);
    const file = attempt(
      () => openServed(place, path),
      () => deny('unavailable', 'not-found', path),
    );
    if (!file.ok || file.value === undefined) return ok(undefined);
    const part = readPart(file.value, offset, mostBytes, Number.MAX_SAFE_INTEGER);
    closeSync(file.value);
    return part;
  },
  close: () => undefined,
});

/** Links are followed to what is served as well, and nowhere else. @returns undefined for anything but a plain file there */
const openServed = (place: string, path: string): number | undefined => {
  const real = realpathSync(join(place, path));
  if (!isServed(relative(place, real)) || !statSync(real).isFile()) return undefined;
  return openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW);
};

const archive = (file: number): Result<CarriedRelease> => {
  const indexed = indexOf(file);
  if (!indexed.ok) {
    closeSync(file);
    return indexed;
  }
  return ok({
    read(path, offset, mostBytes) {
      const entry = indexed.value.get(path);
      return entry === undefined || !isOffset(offset)
        ? ok(undefined)
        : readPart(file, entry.at + offset, mostBytes, entry.at + entry.lengthBytes);
    },
    close: () => closeSync(file),
  });
};

/** The device is not trusted either. */
const isOffset = (offset: number): boolean => Number.isSafeInteger(offset) && offset >= 0;

interface Placed {
  readonly at: number;
  readonly lengthBytes: number;
}

/** Headers alone are read; an entry that leads out of the file is refused. */
const indexOf = (file: number): Result<ReadonlyMap<string, Placed>> => {
  const sizeBytes = fstatSync(file).size;
  const entries = new Map<string, Placed>();
  for (let at = 0; at < sizeBytes; ) {
    const block = readPart(file, at, blockBytes, sizeBytes);
    if (!block.ok) return block;
    const header = readTarHeader(block.value);
    if (!header.ok) return header;
    if (header.value === undefined) return ok(entries);
    const { path, lengthBytes } = header.value;
    at += blockBytes;
    if (at + lengthBytes > sizeBytes || entries.has(path)) return deny('protocol', 'malformed', path);
    entries.set(path, { at, lengthBytes });
    if (entries.size > maxEntries) return deny('resource', 'count-limit', `${maxEntries} files`);
    at += lengthBytes + paddingBytes(lengthBytes);
  }
  return deny('protocol', 'malformed', 'an archive without an end');
};

const readPart = (file: number, at: number, mostBytes: number, end: number): Result<Uint8Array> =>
  attempt(
    () => {
      const part = new Uint8Array(Math.max(0, Math.min(mostBytes, maxPartBytes, end - at)));
      let length = 0;
      while (length < part.length) {
        const read = readSync(file, part, length, part.length - length, at + length);
        if (read === 0) break;
        length += read;
      }
      return part.subarray(0, length);
    },
    (cause) => deny('protocol', 'file-unreadable', cause),
  );
