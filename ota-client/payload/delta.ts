/**
 * A segment as bytes of its dictionary with differences, for what a compressor cannot see: code that moved keeps its shape,
 * and only the addresses in it change, each by the same amount as many others.
 *
 * After C. Percival, "Naive Differences of Executable Code" (2003), for one segment, so that memory stays one dictionary.
 * Layout: for each of four streams its bytes(3) and its compressed bytes(3), both 0 for none ‖ the streams, a zstd frame
 * each:
 *   steps    for each: bytes copied, bytes inserted, where in the dictionary to go on (sign in the lowest bit)
 *   gaps     for each change: copied bytes before it that stay as they are
 *   changes  what is added to a copied byte, modulo 256
 *   inserts  bytes of their own; this frame has the dictionary
 * Numbers within the streams are LEB128, of at most three bytes. The dictionary begins at 0; the rest is big-endian.
 */
import { concat, u8, u16be } from '#hal/core/bytes';
import { malformed, parse, Reader } from '#hal/core/reader';
import { releaseMemory } from '#hal/core/release-memory';
import { deny, type Failure, type Result } from '#hal/core/result';
import { segmentBytes } from './limits.ts';
import { compress, decompress } from './zstd.ts';

export interface Step {
  readonly copied: number;
  readonly inserted: number;
  /** From the end of what was copied. */
  readonly seek: number;
}

export interface Delta {
  readonly steps: readonly Step[];
  readonly gaps: readonly number[];
  readonly changes: Uint8Array;
  readonly inserts: Uint8Array;
}

/** Of one stream before compression: with more, a segment is no better than on its own. */
const maxStreamBytes = segmentBytes;
const maxNumberBytes = 3;

/** @returns undefined where a stream is above the limit */
export const encodeDelta = (delta: Delta, dictionary: Uint8Array, level: number): Uint8Array | undefined => {
  const { steps, gaps, changes, inserts } = delta;
  const numbers = steps.flatMap(({ copied, inserted, seek }) => [copied, inserted, seek < 0 ? -2 * seek - 1 : 2 * seek]);
  const streams = [encodeNumbers(numbers), encodeNumbers(gaps), changes, inserts];
  if (streams.some(({ length }) => length > maxStreamBytes)) return undefined;
  const frames = streams.map((bytes, at) => compressStream(bytes, at === 3 ? dictionary : undefined, level));
  const lengths = streams.flatMap(({ length }, at) => [u24(length), u24(frames[at]?.length ?? 0)]);
  return concat(...lengths, ...frames);
};

/**
 * @param bytes whose hash has been checked
 * @returns exactly `lengthBytes` bytes, or `integrity/payload-malformed`
 */
export const applyDelta = (bytes: Uint8Array, dictionary: Uint8Array, lengthBytes: number): Result<Uint8Array> =>
  parse(bytes, (reader) => readDelta(reader, dictionary, lengthBytes), refuse);

const readDelta = (reader: Reader, dictionary: Uint8Array, lengthBytes: number): Uint8Array => {
  const sizes = Array.from({ length: 4 }, () => ({ length: readU24(reader), compressed: readU24(reader) }));
  const streams = sizes.map((size, at) => readStream(reader, size, at === 3 ? dictionary : undefined));
  const [steps, gaps, changes, inserts] = streams.map((bytes) => new Reader(bytes)) as [Reader, Reader, Reader, Reader];
  const out = new Uint8Array(lengthBytes);
  const noMore = Number.POSITIVE_INFINITY;
  const nextGap = () => (gaps.remaining === 0 ? noMore : readNumber(gaps));
  let made = 0;
  let source = 0;
  let gap = nextGap();
  while (steps.remaining > 0) {
    const copied = readNumber(steps);
    const inserted = readNumber(steps);
    const seek = readNumber(steps);
    if (made + copied + inserted > lengthBytes) malformed(`${copied} and ${inserted} bytes at ${made} of ${lengthBytes}`);
    if (source + copied > dictionary.length) malformed(`${copied} bytes at ${source} of the dictionary`);
    out.set(dictionary.subarray(source, source + copied), made);
    let left = copied;
    while (gap < left) {
      const at = made + copied - left + gap;
      out[at] = (out[at] as number) + changes.u8();
      left -= gap + 1;
      gap = nextGap();
    }
    gap -= left;
    out.set(inserts.take(inserted), made + copied);
    made += copied + inserted;
    source += copied + (seek % 2 === 0 ? seek / 2 : -(seek + 1) / 2);
    if (source < 0) malformed('a place before the dictionary');
  }
  if (made !== lengthBytes || gap !== noMore) malformed(`${made} bytes where ${lengthBytes} are due`);
  for (const stream of [changes, inserts]) stream.end();
  for (const stream of streams) releaseMemory(stream);
  return out;
};

const compressStream = (bytes: Uint8Array, dictionary: Uint8Array | undefined, level: number): Uint8Array =>
  bytes.length === 0 ? bytes : compress(bytes, dictionary, level);

const readStream = (
  reader: Reader,
  { length, compressed }: { readonly length: number; readonly compressed: number },
  dictionary: Uint8Array | undefined,
): Uint8Array => {
  if (length > maxStreamBytes) malformed(`a stream of ${length} bytes`);
  const frame = reader.take(compressed);
  if (length === 0 && compressed === 0) return frame;
  const bytes = decompress(frame, dictionary, length);
  return bytes.ok ? bytes.value : malformed(bytes.fault.detail ?? bytes.fault.reason);
};

const encodeNumbers = (numbers: readonly number[]): Uint8Array => {
  const out: number[] = [];
  for (const number of numbers) {
    let rest = number;
    for (; rest > 127; rest >>>= 7) out.push((rest & 127) | 128);
    out.push(rest);
  }
  return Uint8Array.from(out);
};

const readNumber = (reader: Reader): number => {
  let number = 0;
  for (let at = 0; at < maxNumberBytes; at += 1) {
    const byte = reader.u8();
    number |= (byte & 127) << (7 * at);
    if (byte < 128) return number;
  }
  return malformed('a number above the limit');
};

const u24 = (value: number): Uint8Array => concat(u8(value >>> 16), u16be(value & 0xffff));
const readU24 = (reader: Reader): number => reader.u8() * 65_536 + reader.u16be();

const refuse = (why: string): Failure => deny('integrity', 'payload-malformed', `delta: ${why}`);
