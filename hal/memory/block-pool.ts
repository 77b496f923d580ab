/** Contents by number: equal numbers are equal bytes, so that snapshots of media are small and quickly compared. */
import { crc32 } from 'node:zlib';

export interface BlockPool {
  /** @param cell where the bytes lie: what was there lately is compared first. @param bytes kept as a copy where they are new */
  numberOf(cell: number, bytes: Uint8Array): number;
  /** Of 0: no bytes. */
  bytesOf(number: number): Uint8Array;
  /** How many contents there are. */
  readonly size: number;
  /** Forgets all contents from this number on; nobody may hold one of them. */
  shrink(size: number): void;
}

/** Of one cell: what is written to it again and again is found without a checksum. */
const recentNumbers = 4;

export const blockPool = (): BlockPool => {
  const contents: Uint8Array[] = [];
  const checksums: number[] = [];
  const numbers = new Map<number, number[]>();
  const recent: number[][] = [];
  const bytesOf = (number: number): Uint8Array => {
    const bytes = contents[number];
    if (bytes === undefined) throw new Error(`nothing has number ${number}`);
    return bytes;
  };
  const isSame = (number: number, bytes: Uint8Array): boolean => Buffer.compare(bytesOf(number), bytes) === 0;
  const find = (bytes: Uint8Array): number => {
    const checksum = crc32(bytes);
    const alike = numbers.get(checksum) ?? [];
    const known = alike.find((number) => isSame(number, bytes));
    if (known !== undefined) return known;
    const number = contents.push(new Uint8Array(bytes)) - 1;
    checksums.push(checksum);
    numbers.set(checksum, [...alike, number]);
    return number;
  };
  find(new Uint8Array());
  return {
    bytesOf,
    get size() {
      return contents.length;
    },
    numberOf(cell, bytes) {
      recent[cell] ??= [];
      const lately = recent[cell];
      const same = lately.find((number) => isSame(number, bytes));
      if (same !== undefined) return same;
      const number = find(bytes);
      lately.unshift(number);
      if (lately.length > recentNumbers) lately.pop();
      return number;
    },
    shrink(size) {
      for (const checksum of checksums.splice(size)) {
        const kept = (numbers.get(checksum) ?? []).filter((number) => number < size);
        if (kept.length > 0) numbers.set(checksum, kept);
        else numbers.delete(checksum);
      }
      contents.length = Math.min(size, contents.length);
      for (const [cell, lately] of recent.entries()) recent[cell] = lately?.filter((number) => number < size) ?? [];
    },
  };
};
