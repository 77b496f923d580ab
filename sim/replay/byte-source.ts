/** Bytes that somebody else wrote, read where they are wanted: a file, or memory. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface ByteSource {
  readonly sizeBytes: number;
  /** What lies behind the end is zero, as in a file that was made longer. */
  read(offsetBytes: number, lengthBytes: number): Uint8Array;
}

export const memoryBytes = (bytes: Uint8Array): ByteSource => ({
  sizeBytes: bytes.length,
  read(offsetBytes, lengthBytes) {
    const read = new Uint8Array(lengthBytes);
    read.set(bytes.subarray(offsetBytes, offsetBytes + lengthBytes));
    return read;
  },
});

/** A file that stays as it is meanwhile. */
export const fileBytes = (path: string): ByteSource & Disposable => {
  const file = openSync(path, 'r');
  const { size } = fstatSync(file);
  return {
    sizeBytes: size,
    read(offsetBytes, lengthBytes) {
      const read = new Uint8Array(lengthBytes);
      readSync(file, read, 0, lengthBytes, offsetBytes);
      return read;
    },
    [Symbol.dispose]: () => closeSync(file),
  };
};

/** Part of another. */
export const partOf = (source: ByteSource, offsetBytes: number, sizeBytes: number): ByteSource => ({
  sizeBytes,
  read: (at, lengthBytes) => source.read(offsetBytes + at, lengthBytes),
});

/** One behind the other. */
export const joined = (parts: readonly ByteSource[]): ByteSource => ({
  sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  read(offsetBytes, lengthBytes) {
    const read = new Uint8Array(lengthBytes);
    let start = 0;
    for (const part of parts) {
      const [from, to] = [Math.max(offsetBytes, start), Math.min(offsetBytes + lengthBytes, start + part.sizeBytes)];
      if (from < to) read.set(part.read(from - start, to - from), from - offsetBytes);
      start += part.sizeBytes;
    }
    return read;
  },
});
