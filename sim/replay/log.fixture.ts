/** Logs as QEMU writes them, made of what a test says was written. */
import { concat, u32le, u64le } from '#hal/core/bytes';
import { sectorBytes } from '#sim/image/gpt';

export interface Noted {
  readonly sector: number;
  /** Whole sectors; none for a flush or a discard. */
  readonly data?: Uint8Array;
  /** Of a discard, which has no data. */
  readonly sectors?: number;
  readonly flags?: number;
}

const sectorWith = (...parts: readonly Uint8Array[]): Uint8Array => {
  const sector = new Uint8Array(sectorBytes);
  sector.set(concat(...parts));
  return sector;
};

export const superblock = (entries: number, sectorSize = sectorBytes): Uint8Array =>
  sectorWith(new Uint8Array([0x72, 0x68, 0x73, 0x77, 0x66, 0x73, 0x6a, 0]), u64le(1), u64le(entries), u32le(sectorSize));

export const noted = ({ sector, data = new Uint8Array(), sectors = data.length / sectorBytes, flags = 0 }: Noted) =>
  concat(sectorWith(u64le(sector), u64le(sectors), u64le(flags), u64le(0)), data);

export const logOf = (writes: readonly Noted[]): Uint8Array => concat(superblock(writes.length), ...writes.map(noted));

/** A sector full of one byte, again and again. */
export const sectorsOf = (byte: number, count = 1): Uint8Array => new Uint8Array(count * sectorBytes).fill(byte);
