/**
 * Static units for a device that has any earlier image: what can be found in the running slot is taken from there, what
 * cannot is fetched. The same files serve every device, whatever it comes from.
 *
 * A hint, the first bytes of a block's SHA-256, says where a block may be found and proves nothing: the hash of the
 * segment decides. Each unit is compressed against what lies before it in its own segment, which a device has by then.
 *
 * The locator is pinned by the signed release. Layout: magic(8) ‖ SHA-256(32) of the index of the image ‖ for each segment
 *   bytes(4) of its part of the unit file, 0 for a segment of zeros, and else SHA-256(32) of its sheet ‖ a hint(5) for
 *   each block, zeros for a block of zeros
 * A part of the unit file is a sheet and the units that it names: for each unit its length(2) ‖ SHA-256(32).
 * Numbers are big-endian.
 */
import { concat, equalBytes, u16be, u32be, utf8 } from '#hal/core/bytes';
import { malformed, parse, type Reader } from '#hal/core/reader';
import { deny, type Failure, type Result } from '#hal/core/result';
import {
  blockBytes,
  maxLocatedBytes,
  maxUnitCompressedBytes,
  segmentBytes,
  segmentCount,
  segmentLength,
  unitBytes,
  unitContextBytes,
} from './limits.ts';
import type { Piece } from './recipe.ts';
import { isFormattedDictionary } from './zstd.ts';

export interface Locator {
  /** SHA-256 of the index of the image. */
  readonly target: Uint8Array;
  /** @returns where the parts of a segment are; undefined for one of zeros */
  segment(segment: number): LocatedSegment | undefined;
}

export interface LocatedSegment {
  readonly sheet: Piece;
  /** `hintBytes` for each block. */
  readonly hints: Uint8Array;
  /** Sheet and units. */
  readonly lengthBytes: number;
}

export const hintBytes = 5;
const magic = utf8('ENIGMUN1');
const digestBytes = 32;
const sheetEntryBytes = 2 + digestBytes;
const headBytes = magic.length + digestBytes;
const largestEntry = 4 + digestBytes + (segmentBytes / blockBytes) * hintBytes;
export const maxLocatorBytes = headBytes + segmentCount(maxLocatedBytes) * largestEntry;

export const unitCount = (lengthBytes: number): number => Math.ceil(lengthBytes / unitBytes);
const sheetBytes = (lengthBytes: number): number => unitCount(lengthBytes) * sheetEntryBytes;

/** What a locator begins with; what is said of each segment follows, in order. */
export const encodeLocatorHead = (target: Uint8Array): Uint8Array => concat(magic, target);

/** @param located undefined for a segment of zeros. Of its sheet there is the SHA-256 */
export const encodeLocated = (
  located: (Omit<LocatedSegment, 'sheet'> & { readonly sheet: Uint8Array }) | undefined,
): Uint8Array => (located === undefined ? u32be(0) : concat(u32be(located.lengthBytes), located.sheet, located.hints));

/**
 * @param imageBytes size of the image, from its index
 * @returns the locator, over a view of `bytes`; or `integrity/payload-malformed`
 */
export const parseLocator = (bytes: Uint8Array, imageBytes: number): Result<Locator> =>
  bytes.length > maxLocatorBytes || imageBytes > maxLocatedBytes
    ? refuse(`${bytes.length} bytes for an image of ${imageBytes}`)
    : parse(bytes, (reader) => readLocator(reader, bytes, imageBytes), refuse);

const refuse = (why: string): Failure => deny('integrity', 'payload-malformed', `units: ${why}`);

const readLocator = (reader: Reader, bytes: Uint8Array, imageBytes: number): Locator => {
  if (!equalBytes(reader.take(magic.length), magic)) malformed('not a locator');
  const target = reader.take(digestBytes);
  const count = segmentCount(imageBytes);
  // A segment takes four bytes at least, so a count that the bytes cannot hold is refused before anything is made of it.
  if (count * 4 > reader.remaining) malformed(`${count} segments in ${reader.remaining} bytes`);
  // Numbers in arrays, not an object for each segment: a large image has many.
  const entries = new Uint32Array(count);
  const offsets = new Float64Array(count);
  const lengths = new Uint32Array(count);
  let offsetBytes = 0;
  for (let segment = 0; segment < count; segment += 1) {
    const length = segmentLength(imageBytes, segment);
    const lengthBytes = reader.u32be();
    entries[segment] = reader.offset;
    offsets[segment] = offsetBytes;
    lengths[segment] = lengthBytes;
    offsetBytes += lengthBytes;
    if (lengthBytes === 0) continue;
    const most = sheetBytes(length) + unitCount(length) * maxUnitCompressedBytes;
    if (lengthBytes <= sheetBytes(length) || lengthBytes > most) malformed(`${lengthBytes} bytes of segment ${segment}`);
    reader.take(digestBytes + (length / blockBytes) * hintBytes);
  }
  return {
    target,
    segment(segment) {
      const at = entries[segment] ?? 0;
      if ((lengths[segment] ?? 0) === 0) return undefined;
      const length = segmentLength(imageBytes, segment);
      const hints = at + digestBytes;
      return {
        sheet: {
          offsetBytes: offsets[segment] as number,
          lengthBytes: sheetBytes(length),
          sha256: bytes.subarray(at, hints),
        },
        hints: bytes.subarray(hints, hints + (length / blockBytes) * hintBytes),
        lengthBytes: lengths[segment] as number,
      };
    },
  };
};

export const encodeSheet = (units: readonly Pick<Piece, 'lengthBytes' | 'sha256'>[]): Uint8Array =>
  concat(...units.flatMap(({ lengthBytes, sha256 }) => [u16be(lengthBytes), sha256]));

/**
 * @param bytes whose hash has been checked
 * @param lengthBytes of the segment
 * @returns its units in order, or `integrity/payload-malformed`
 */
export const parseSheet = (bytes: Uint8Array, located: LocatedSegment, lengthBytes: number): Result<readonly Piece[]> =>
  parse(
    bytes,
    (reader) => {
      let offsetBytes = located.sheet.offsetBytes + located.sheet.lengthBytes;
      const units = Array.from({ length: unitCount(lengthBytes) }, () => {
        const length = reader.u16be();
        if (length === 0 || length > maxUnitCompressedBytes) malformed(`${length} compressed bytes`);
        const unit = { offsetBytes, lengthBytes: length, sha256: reader.take(digestBytes) };
        offsetBytes += length;
        return unit;
      });
      if (offsetBytes !== located.sheet.offsetBytes + located.lengthBytes) malformed('units that are not all of their segment');
      return units;
    },
    refuse,
  );

/** What a unit was compressed against, at both ends; never one that zlib would take for a formatted dictionary. */
export const unitContext = (segment: Uint8Array, startBytes: number): Uint8Array | undefined => {
  if (startBytes === 0) return undefined;
  const context = segment.subarray(Math.max(0, startBytes - unitContextBytes), startBytes);
  return isFormattedDictionary(context) ? context.subarray(1) : context;
};
