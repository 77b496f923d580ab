/**
 * One small value on a block device in two copies, written in turn: whatever is cut, one whole copy is left, the old or
 * the new one.
 *
 * A copy: magic(8) ‖ sequence(8) ‖ length(4) ‖ CRC-32 of these(4) ‖ value ‖ SHA-256 of all before(32); numbers
 * big-endian. The CRC makes the length worth reading, the hash decides. Each copy fills blocks of its own, so that
 * tearing one cannot reach the other.
 *
 * Source: the redundant environment of U-Boot, `CONFIG_ENV_OFFSET_REDUND`, with a hash in place of its flag byte.
 */
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { concat, equalBytes, u32be, u64be, utf8 } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { BlockDevice } from '#hal/ports/block-device';

export interface TwinRecord {
  /** @returns the newest whole value, undefined where neither copy is one, or a fault of the device if it reads neither */
  read(): Promise<Result<Uint8Array | undefined>>;
  /**
   * Over the older copy, flushed and read back.
   * @returns nothing; `resource/storage-full` above `maxValueBytes`, `integrity/read-back-mismatch`, a fault of the device
   */
  write(value: Uint8Array): Promise<Result<void>>;
}

/** One erase unit of nothing that we know is smaller than a page; 4 KiB is also the largest sector. */
const copyBytes = 4096;
const headBytes = 8 + 8 + 4 + 4;
const hashBytes = 32;
export const twinRecordBytes = 2 * copyBytes;
export const maxValueBytes = copyBytes - headBytes - hashBytes;

/** @param magic eight characters: what kind of record this is */
export const twinRecord = (device: BlockDevice, magic: string): TwinRecord => {
  const mark = utf8(magic);
  if (mark.length !== 8) throw new Error(`a magic has eight bytes: ${magic}`);
  let isSettled = false;
  /**
   * What a killed program wrote can be read before it is durable. Whoever acts on it without writing it again would do so
   * on something that a power cut takes back, so it is made durable before it is first believed.
   */
  const settle = async (): Promise<Result<void>> => {
    if (isSettled) return done;
    const flushed = await device.flush();
    isSettled = flushed.ok;
    return flushed;
  };
  const newest = async (): Promise<Result<Found | undefined>> => {
    const settled = await settle();
    if (!settled.ok) return settled;
    const copies = [await device.read(0, copyBytes), await device.read(copyBytes, copyBytes)];
    const [first, second] = copies;
    if (first?.ok === false && second?.ok === false) return first;
    const found = copies.flatMap((copy, index) => (copy.ok ? decodeCopy(copy.value, mark, index) : []));
    return ok(found.toSorted((a, b) => b.sequence - a.sequence)[0]);
  };
  return {
    async read() {
      const found = await newest();
      return found.ok ? ok(found.value?.value) : found;
    },
    async write(value) {
      if (value.length > maxValueBytes) return deny('resource', 'storage-full', `${value.length} bytes of ${magic}`);
      const found = await newest();
      if (!found.ok) return found;
      const copy = encodeCopy(mark, (found.value?.sequence ?? 0) + 1, value);
      const offset = found.value?.index === 0 ? copyBytes : 0;
      const written = await device.write(offset, copy);
      if (!written.ok) return written;
      const flushed = await device.flush();
      if (!flushed.ok) return flushed;
      const back = await device.read(offset, copyBytes);
      if (!back.ok) return back;
      return equalBytes(back.value, copy) ? done : deny('integrity', 'read-back-mismatch', magic);
    },
  };
};

interface Found {
  readonly index: number;
  readonly sequence: number;
  readonly value: Uint8Array;
}

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

const encodeCopy = (mark: Uint8Array, sequence: number, value: Uint8Array): Uint8Array => {
  const head = concat(mark, u64be(sequence), u32be(value.length));
  const body = concat(head, u32be(crc32(head)), value);
  const copy = new Uint8Array(copyBytes);
  copy.set(body);
  copy.set(sha256(body), body.length);
  return copy;
};

const decodeCopy = (copy: Uint8Array, mark: Uint8Array, index: number): readonly Found[] => {
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  const length = view.getUint32(16);
  if (!equalBytes(copy.subarray(0, 8), mark) || view.getUint32(20) !== crc32(copy.subarray(0, 20))) return [];
  if (length > maxValueBytes) return [];
  const end = headBytes + length;
  if (!equalBytes(copy.subarray(end, end + hashBytes), sha256(copy.subarray(0, end)))) return [];
  return [{ index, sequence: Number(view.getBigUint64(8)), value: copy.slice(headBytes, end) }];
};
