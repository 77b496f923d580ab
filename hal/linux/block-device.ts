/**
 * `BlockDevice` over a file of fixed size or a block device node.
 *
 * Node's permission model refuses fsync and fdatasync to every program that runs under it (`fs.fsyncSync`: "API is
 * disabled when Permission Model is enabled"; that Node 24.21 lets `FileHandle.datasync` through is nothing to build
 * on). So durability is asked for when the file is opened: with O_DSYNC a write returns after its data, and the
 * metadata needed to find them, are on the medium (open(2), "Synchronized I/O"). Each such write costs one flush of the
 * drive, so neighbouring writes are gathered into runs of up to 1 MiB first; `flush` sends the last one. What waits in a
 * run is in the page cache already, by a second handle: a program that is killed loses nothing that it was told is written.
 *
 * Aligned reads of a device opened to write use O_DIRECT where the file system has it: they come from the drive, not
 * from the page cache, so that a read-back means something. Whole runs in `pageMemory` are written that way too: without a
 * copy, and without pushing what the device works with out of the cache. A device opened to read is read through the cache.
 */
import { constants, readFileSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { inTurn } from '#hal/core/in-turn';
import { isWholePages, pageBytes, pageMemory } from '#hal/core/page-memory';
import { attemptAsync, deny, type Failure, type Result } from '#hal/core/result';
import { passed } from '#hal/core/young-garbage';
import { isInside } from '#hal/ports/block-device';
import type { SlotDevice, SlotName, Slots } from '#hal/ports/slots';

const runBytes = 1024 * 1024;

export interface LinuxBlockDevice extends SlotDevice {
  /** False where the file system has no O_DIRECT: a read-back may then come from the page cache. */
  readonly readsMedium: boolean;
}

/**
 * @param path a file, already at its full size, or a block device node
 * @returns the device, or `unavailable/storage-failed`
 */
export const linuxBlockDevice = async (path: string, access: 'read' | 'write'): Promise<Result<LinuxBlockDevice>> =>
  attemptAsync(async () => {
    const handle = await open(path, access === 'write' ? constants.O_RDWR | constants.O_DSYNC : constants.O_RDONLY);
    try {
      const facts = await handle.stat();
      const direct = access === 'write' ? await directMedium(path) : undefined;
      const cached = access === 'write' ? await open(path, constants.O_RDWR) : handle;
      const deviceId = facts.isBlockDevice() ? `device ${facts.rdev}` : `file ${facts.dev}:${facts.ino}`;
      return deviceOver(handle, cached, direct, sizeOf(facts), deviceId);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }, storageFailed);

/** Slots as paths; opening one that is not there is a refusal, never a new file. */
export const linuxSlots = (paths: Readonly<Record<SlotName, string>>): Slots => ({
  open: (slot, access) => linuxBlockDevice(paths[slot], access),
});

/** @param cause a message of Node, which begins with the name of the error */
export const storageFailed = (cause: string): Failure =>
  /^(?:ENOSPC|EDQUOT)\b/.test(cause) ? deny('resource', 'storage-full', cause) : deny('unavailable', 'storage-failed', cause);

/**
 * stat(2) says nothing of the size of a block device; sysfs counts in 512-byte units whatever the sector is. A program
 * under the permission model needs `--allow-fs-read=/sys/dev/block` for it.
 */
const sizeOf = (facts: Stats): number => {
  if (!facts.isBlockDevice()) return facts.size;
  const major = (facts.rdev >> 8) & 0xfff;
  const minor = (facts.rdev & 0xff) | ((facts.rdev >> 12) & 0xfff00);
  return Number(readFileSync(`/sys/dev/block/${major}:${minor}/size`, 'latin1')) * 512;
};

const deviceOver = (
  handle: FileHandle,
  cached: FileHandle,
  direct: DirectMedium | undefined,
  sizeBytes: number,
  deviceId: string,
): LinuxBlockDevice => {
  const run = { bytes: new Uint8Array(runBytes), offsetBytes: 0, length: 0 };
  const exclusive = inTurn();
  const send = async (): Promise<void> => {
    const { bytes, offsetBytes, length } = run;
    run.length = 0;
    await writeAll(handle, bytes.subarray(0, length), offsetBytes);
  };
  const sendWhole = (offsetBytes: number, bytes: Uint8Array): Promise<void> =>
    direct !== undefined && isDirect(offsetBytes, bytes.length) && isWholePages(bytes)
      ? direct.write(offsetBytes, bytes)
      : writeAll(handle, bytes, offsetBytes);
  const gather = async (offsetBytes: number, bytes: Uint8Array): Promise<void> => {
    if (run.length > 0 && offsetBytes !== run.offsetBytes + run.length) await send();
    for (let taken = 0; taken < bytes.length; ) {
      const left = bytes.length - taken;
      if (run.length === 0 && left >= runBytes) {
        const whole = left - (left % runBytes);
        await sendWhole(offsetBytes + taken, bytes.subarray(taken, taken + whole));
        taken += whole;
        continue;
      }
      if (run.length === 0) run.offsetBytes = offsetBytes + taken;
      const piece = bytes.subarray(taken, taken + runBytes - run.length);
      run.bytes.set(piece, run.length);
      run.length += piece.length;
      taken += piece.length;
      if (run.length === runBytes) await send();
    }
    const waiting = Math.min(bytes.length, run.length);
    await writeAll(cached, bytes.subarray(bytes.length - waiting), offsetBytes + bytes.length - waiting);
  };
  const overlapsRun = (offsetBytes: number, lengthBytes: number) =>
    run.length > 0 && offsetBytes < run.offsetBytes + run.length && run.offsetBytes < offsetBytes + lengthBytes;
  const outside = (offsetBytes: number, lengthBytes: number) =>
    deny('protocol', 'field-invalid', `${lengthBytes} bytes at ${offsetBytes} of ${sizeBytes}`);
  return {
    sizeBytes,
    deviceId,
    readsMedium: direct !== undefined,
    async read(offsetBytes, lengthBytes, into) {
      if (!isInside({ sizeBytes }, offsetBytes, lengthBytes)) return outside(offsetBytes, lengthBytes);
      return attemptAsync(
        () =>
          exclusive(async () => {
            if (overlapsRun(offsetBytes, lengthBytes)) await send();
            return direct !== undefined && isDirect(offsetBytes, lengthBytes)
              ? await direct.read(offsetBytes, memoryOf(lengthBytes, into))
              : await readAll(handle, offsetBytes, memoryOf(lengthBytes, into));
          }),
        storageFailed,
      );
    },
    async write(offsetBytes, bytes) {
      if (!isInside({ sizeBytes }, offsetBytes, bytes.length)) return outside(offsetBytes, bytes.length);
      return attemptAsync(() => exclusive(() => gather(offsetBytes, bytes)), storageFailed);
    },
    async flush() {
      return attemptAsync(() => exclusive(async () => (run.length > 0 ? send() : undefined)), storageFailed);
    },
    async close() {
      await exclusive(() => handle.close());
      if (cached !== handle) await cached.close();
      await direct?.close();
    },
  };
};

const writeAll = async (handle: FileHandle, bytes: Uint8Array, offsetBytes: number): Promise<void> => {
  for (let sent = 0; sent < bytes.length; )
    sent += (await handle.write(bytes, sent, bytes.length - sent, offsetBytes + sent)).bytesWritten;
};

/** Every byte is read into before anybody sees it; zeroing it first would be work for nothing. */
const uninitialised = (lengthBytes: number): Uint8Array => {
  passed(lengthBytes);
  return new Uint8Array(Buffer.allocUnsafeSlow(lengthBytes).buffer);
};

const memoryOf = (lengthBytes: number, into: Uint8Array | undefined): Uint8Array =>
  into?.subarray(0, lengthBytes) ?? uninitialised(lengthBytes);

const readAll = async (handle: FileHandle, offsetBytes: number, bytes: Uint8Array): Promise<Uint8Array> => {
  await readInto(handle, bytes, 0, bytes.length, offsetBytes);
  return bytes;
};

const readInto = async (handle: FileHandle, into: Uint8Array, at: number, lengthBytes: number, offsetBytes: number) => {
  for (let got = 0; got < lengthBytes; ) {
    const { bytesRead } = await handle.read(into, at + got, lengthBytes - got, offsetBytes + got);
    if (bytesRead === 0) throw new Error(`the device ends at ${offsetBytes + got}`);
    got += bytesRead;
  }
};

/** What O_DIRECT asks of offset and length (open(2)); no logical block in use is larger than a page. */
const isDirect = (offsetBytes: number, lengthBytes: number): boolean =>
  offsetBytes % pageBytes === 0 && lengthBytes % pageBytes === 0;

interface DirectMedium {
  read(offsetBytes: number, bytes: Uint8Array): Promise<Uint8Array>;
  /** Durable once this resolves. @param bytes whole pages */
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** @returns nothing where the file system refuses O_DIRECT (EINVAL at open) */
const directMedium = async (path: string): Promise<DirectMedium | undefined> => {
  const handle = await open(path, constants.O_RDWR | constants.O_DIRECT | constants.O_DSYNC).catch(() => undefined);
  if (handle === undefined) return undefined;
  let memory: Uint8Array | undefined;
  return {
    async read(offsetBytes, bytes) {
      if (isWholePages(bytes)) return readAll(handle, offsetBytes, bytes);
      memory ??= pageMemory(runBytes);
      for (let got = 0; got < bytes.length; ) {
        const piece = Math.min(runBytes, bytes.length - got);
        await readInto(handle, memory, 0, piece, offsetBytes + got);
        bytes.set(memory.subarray(0, piece), got);
        got += piece;
      }
      return bytes;
    },
    write: (offsetBytes, bytes) => writeAll(handle, bytes, offsetBytes),
    close: () => handle.close(),
  };
};
