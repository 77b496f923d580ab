/**
 * The publisher's side: from images to the files that a device fetches. The same images give the same files, byte for
 * byte, with the same zstd (Node's).
 *
 * Limit: whole images are held in memory.
 */
import { concat } from '#hal/core/bytes';
import { encodeDelta } from './delta.ts';
import { difference } from './difference.ts';
import { blockBytes, isImageSize, maxImageBytes, segmentBytes, segmentCount } from './limits.ts';
import { type Places, placesIn } from './places.ts';
import { encodeRecipe, type Piece, type Range, rangesBytes, type SegmentRecipe } from './recipe.ts';
import { encodeIndex, type SegmentIndex, sha256 } from './segment-index.ts';
import { similarityTo } from './similarity.ts';
import { compress, isFormattedDictionary } from './zstd.ts';

export interface Payload {
  readonly index: Uint8Array;
  /** Needs nothing from the device; every update has it. */
  readonly full: RecipeFiles;
  /** Needs the base image in the running slot; absent when none was given. */
  readonly pair?: RecipeFiles;
}

export interface RecipeFiles {
  readonly recipe: Uint8Array;
  /** The compressed pieces, one after the other. */
  readonly pieces: Uint8Array;
}

export interface BuildOptions {
  /** zstd level, 1 to 22. */
  readonly level?: number;
}

const defaultLevel = 19;
/** What a dictionary recipe says beyond a plain one, roughly: it must be worth that. */
const dictionaryOverheadBytes = 64;

/**
 * @param target the new image; zeros are added to whole blocks
 * @param base the image that devices run now
 */
export const buildPayload = (target: Uint8Array, base?: Uint8Array, { level = defaultLevel }: BuildOptions = {}): Payload => {
  const image = wholeBlocks(target);
  const index = encodeIndex(indexOf(image));
  const target32 = sha256(index);
  const full = cook(image, (segment) => plain(segment, level));
  const files = { index, full: filesOf(target32, undefined, full) };
  if (base === undefined) return files;
  const source = wholeBlocks(base);
  const places = placesIn(image, source.length / blockBytes, similarityTo(source));
  const pair = cook(image, (segment, at) => copy(segment, at, places) ?? cheapest(segment, at, source, places, level, full[at]));
  const baseOf = { index: sha256(encodeIndex(indexOf(source))), blocks: source.length / blockBytes };
  return { ...files, pair: filesOf(target32, baseOf, pair) };
};

export const indexOf = (image: Uint8Array): SegmentIndex => ({
  imageBytes: image.length,
  digests: concat(...segmentsOf(image).map(sha256)),
});

/** The image as it will lie in its slot. */
export const wholeBlocks = (image: Uint8Array): Uint8Array => {
  const whole = image.length % blockBytes === 0 ? image : concat(image, new Uint8Array(blockBytes - (image.length % blockBytes)));
  if (!isImageSize(whole.length)) throw new Error(`an image has 1 to ${maxImageBytes} bytes, not ${image.length}`);
  return whole;
};

const segmentsOf = (image: Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: segmentCount(image.length) }, (_, segment) =>
    image.subarray(segment * segmentBytes, (segment + 1) * segmentBytes),
  );

/** A recipe before its piece has a place. */
interface Draft {
  readonly recipe: SegmentRecipe;
  readonly compressed?: Uint8Array;
}

const cook = (image: Uint8Array, draft: (segment: Uint8Array, at: number) => Draft): readonly Draft[] =>
  segmentsOf(image).map((segment, at) =>
    segment.every((byte) => byte === 0) ? { recipe: { kind: 'zero' } } : draft(segment, at),
  );

const filesOf = (
  target: Uint8Array,
  base: { readonly index: Uint8Array; readonly blocks: number } | undefined,
  drafts: readonly Draft[],
): RecipeFiles => ({
  recipe: encodeRecipe({ target, ...(base === undefined ? {} : { base }), segments: drafts.map(({ recipe }) => recipe) }),
  pieces: concat(...drafts.flatMap(({ compressed }) => compressed ?? [])),
});

/** The place of a piece is its place in the order, so it is not written. */
const pieceOf = (compressed: Uint8Array): Piece => ({
  offsetBytes: 0,
  lengthBytes: compressed.length,
  sha256: sha256(compressed),
});

const plain = (segment: Uint8Array, level: number): Draft => {
  const compressed = compress(segment, undefined, level);
  return { recipe: { kind: 'zstd', piece: pieceOf(compressed) }, compressed };
};

const blocksIn = (segment: Uint8Array, at: number): [first: number, blocks: number] => [
  (at * segmentBytes) / blockBytes,
  segment.length / blockBytes,
];

/** A copy, if every block is there. */
const copy = (segment: Uint8Array, at: number, places: Places): Draft | undefined => {
  const blocks = places.equal(...blocksIn(segment, at));
  return blocks.includes(undefined) ? undefined : { recipe: { kind: 'copy', ranges: rangesOf(blocks as readonly number[]) } };
};

/** From a dictionary compressed or as a delta, or plainly. */
const cheapest = (
  segment: Uint8Array,
  at: number,
  source: Uint8Array,
  places: Places,
  level: number,
  otherwise: Draft | undefined,
): Draft => {
  const plainly = otherwise ?? plain(segment, level);
  const ranges = rangesOf(places.dictionary(...blocksIn(segment, at)));
  if (ranges.length === 0) return plainly;
  const content = new Uint8Array(rangesBytes(ranges));
  let used = 0;
  for (const { block, blocks } of ranges) {
    content.set(source.subarray(block * blockBytes, (block + blocks) * blockBytes), used);
    used += blocks * blockBytes;
  }
  // Cannot begin so twice: the four bytes do not overlap themselves.
  const skip = isFormattedDictionary(content) ? 1 : 0;
  const dictionary = content.subarray(skip);
  const candidates = [
    { kind: 'dictionary', compressed: compress(segment, dictionary, level) },
    { kind: 'delta', compressed: encodeDelta(difference(segment, dictionary), dictionary, level) },
  ] as const;
  let best = plainly;
  for (const { kind, compressed } of candidates)
    if (compressed !== undefined && compressed.length + dictionaryOverheadBytes < (best.compressed?.length ?? 0))
      best = { recipe: { kind, skip, ranges, piece: pieceOf(compressed) }, compressed };
  return best;
};

const rangesOf = (blocks: readonly number[]): readonly Range[] => {
  const ranges: { block: number; blocks: number }[] = [];
  for (const block of blocks) {
    const last = ranges.at(-1);
    if (last !== undefined && last.block + last.blocks === block) last.blocks += 1;
    else ranges.push({ block, blocks: 1 });
  }
  return ranges;
};
