/**
 * How to make each segment of an image: from nothing, from the running slot, from compressed bytes, or from both.
 *
 * A recipe is one file, pinned by the signed release; its compressed pieces lie one after the other, in the order of
 * the segments, in a second file that needs no pin because each piece is named here by its hash.
 *
 * Layout: magic(8) ‖ SHA-256(32) of the index it makes ‖ blocks of the base(4), 0 for none ‖ SHA-256(32) of the index
 * of the base ‖ for each segment a kind(1) and:
 *   zero  nothing
 *   copy  count(1) ‖ ranges
 *   zstd  length(4) ‖ SHA-256(32)
 *   dictionary  skip(1) ‖ count(1) ‖ ranges ‖ length(4) ‖ SHA-256(32)
 *   delta  as dictionary; its piece is one of `delta.ts`
 * A range is first block(4) ‖ blocks(2). Numbers are big-endian.
 */
import { concat, equalBytes, u8, u16be, u32be, utf8 } from '#hal/core/bytes';
import { malformed, parse, type Reader } from '#hal/core/reader';
import { deny, type Failure, type Result } from '#hal/core/result';
import {
  blockBytes,
  maxCompressedBytes,
  maxCopyRanges,
  maxDictionaryBytes,
  maxDictionaryRanges,
  maxSegments,
  segmentCount,
  segmentLength,
} from './limits.ts';

export interface Recipe {
  /** SHA-256 of the index of the image that it makes. */
  readonly target: Uint8Array;
  /** The image that it starts from; absent in a recipe that needs none. */
  readonly base?: Base;
  readonly segments: readonly SegmentRecipe[];
}

export interface Base {
  /** SHA-256 of the index of that image. */
  readonly index: Uint8Array;
  readonly blocks: number;
}

export type SegmentRecipe =
  | { readonly kind: 'zero' }
  | { readonly kind: 'copy'; readonly ranges: readonly Range[] }
  | { readonly kind: 'zstd'; readonly piece: Piece }
  | {
      readonly kind: 'dictionary' | 'delta';
      /** Bytes left out at the start of the ranges, so that the dictionary does not begin as a formatted one. */
      readonly skip: number;
      readonly ranges: readonly Range[];
      readonly piece: Piece;
    };

/** Blocks of the base. */
export interface Range {
  readonly block: number;
  readonly blocks: number;
}

/** Compressed bytes, by place and hash. */
export interface Piece {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly sha256: Uint8Array;
}

const magic = utf8('ENIGMRC1');
const digestBytes = 32;
const noBase = new Uint8Array(digestBytes);
const kinds = ['zero', 'copy', 'zstd', 'dictionary', 'delta'] as const;
const largestSegment = 1 + 2 + maxDictionaryRanges * 6 + 4 + digestBytes;
export const maxRecipeBytes = 8 + digestBytes + 4 + digestBytes + maxSegments * largestSegment;

/** What a recipe begins with; the recipes of its segments follow, in order. */
export const encodeRecipeHead = ({ target, base }: Omit<Recipe, 'segments'>): Uint8Array =>
  concat(magic, target, u32be(base?.blocks ?? 0), base?.index ?? noBase);

/** The place of a piece is where the pieces before it end, so it is not written. */
export const encodeSegmentRecipe = (segment: SegmentRecipe): Uint8Array => {
  const kind = u8(kinds.indexOf(segment.kind));
  switch (segment.kind) {
    case 'zero':
      return kind;
    case 'copy':
      return concat(kind, ...encodeRanges(segment.ranges));
    case 'zstd':
      return concat(kind, ...encodePiece(segment.piece));
    case 'dictionary':
    case 'delta':
      return concat(kind, u8(segment.skip), ...encodeRanges(segment.ranges), ...encodePiece(segment.piece));
  }
};

const encodeRanges = (ranges: readonly Range[]): readonly Uint8Array[] => [
  u8(ranges.length),
  ...ranges.flatMap(({ block, blocks }) => [u32be(block), u16be(blocks)]),
];
const encodePiece = ({ lengthBytes, sha256 }: Piece): readonly Uint8Array[] => [u32be(lengthBytes), sha256];

/**
 * @param imageBytes size of the image, from its index
 * @returns the recipe; hashes are views of `bytes`; or `integrity/payload-malformed`
 */
export const parseRecipe = (bytes: Uint8Array, imageBytes: number): Result<Recipe> =>
  bytes.length > maxRecipeBytes
    ? refuse(`${bytes.length} bytes`)
    : parse(bytes, (reader) => readRecipe(reader, imageBytes), refuse);

const refuse = (why: string): Failure => deny('integrity', 'payload-malformed', `recipe: ${why}`);

const readRecipe = (reader: Reader, imageBytes: number): Recipe => {
  if (!equalBytes(reader.take(magic.length), magic)) malformed('not a recipe');
  const target = reader.take(digestBytes);
  const blocks = reader.u32be();
  const index = reader.take(digestBytes);
  if ((blocks === 0) !== equalBytes(index, noBase)) malformed('half a base');
  const count = segmentCount(imageBytes);
  // A segment takes a byte at least, so a count that the bytes cannot hold is refused before anything is made of it.
  if (count > reader.remaining) malformed(`${count} segments in ${reader.remaining} bytes`);
  const segments: SegmentRecipe[] = [];
  let offsetBytes = 0;
  while (segments.length < count) {
    const segment = readSegment(reader, blocks, segmentLength(imageBytes, segments.length), offsetBytes);
    if ('piece' in segment) offsetBytes += segment.piece.lengthBytes;
    segments.push(segment);
  }
  return blocks === 0 ? { target, segments } : { target, base: { index, blocks }, segments };
};

const readSegment = (reader: Reader, baseBlocks: number, length: number, offsetBytes: number): SegmentRecipe => {
  const code = reader.u8();
  const kind = kinds[code] ?? malformed(`kind ${code} at ${reader.offset}`);
  switch (kind) {
    case 'zero':
      return { kind };
    case 'copy': {
      const ranges = readRanges(reader, baseBlocks, maxCopyRanges);
      if (rangesBytes(ranges) !== length) malformed(`${rangesBytes(ranges)} bytes copied into ${length}`);
      return { kind, ranges };
    }
    case 'zstd':
      return { kind, piece: readPiece(reader, offsetBytes) };
    case 'dictionary':
    case 'delta': {
      const skip = reader.u8();
      const ranges = readRanges(reader, baseBlocks, maxDictionaryRanges);
      if (rangesBytes(ranges) > maxDictionaryBytes) malformed(`a dictionary of ${rangesBytes(ranges)} bytes`);
      return { kind, skip, ranges, piece: readPiece(reader, offsetBytes) };
    }
  }
};

const readRanges = (reader: Reader, baseBlocks: number, most: number): readonly Range[] => {
  const count = reader.u8();
  if (count === 0 || count > most) malformed(`${count} ranges at ${reader.offset}`);
  const ranges: Range[] = [];
  while (ranges.length < count) {
    const block = reader.u32be();
    const blocks = reader.u16be();
    if (blocks === 0 || block + blocks > baseBlocks) malformed(`blocks ${block}+${blocks} of ${baseBlocks}`);
    ranges.push({ block, blocks });
  }
  return ranges;
};

const readPiece = (reader: Reader, offsetBytes: number): Piece => {
  const lengthBytes = reader.u32be();
  if (lengthBytes === 0 || lengthBytes > maxCompressedBytes) malformed(`${lengthBytes} compressed bytes`);
  return { offsetBytes, lengthBytes, sha256: reader.take(digestBytes) };
};

export const rangesBytes = (ranges: readonly Range[]): number =>
  ranges.reduce((total, { blocks }) => total + blocks * blockBytes, 0);
