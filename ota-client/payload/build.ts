/**
 * The publisher's side: from images to the files that a device fetches. The same images give the same files, byte for
 * byte, with the same zstd (Node's).
 *
 * Limit: whole images are held in memory.
 */
import { concat } from '#hal/core/bytes';
import { blockBytes, isImageSize, maxDictionaryRanges, maxImageBytes, segmentBytes, segmentCount } from './limits.ts';
import { encodeRecipe, type Piece, type Range, rangesBytes, type SegmentRecipe } from './recipe.ts';
import { encodeIndex, type SegmentIndex, sha256 } from './segment-index.ts';
import { type Similarity, similarityTo } from './similarity.ts';
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
  const similarity = similarityTo(source);
  const pair = cook(
    image,
    (segment, at) => fromBase(segment, similarity) ?? dictionary(segment, source, similarity, level, full[at]),
  );
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

const blocksOf = (segment: Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: segment.length / blockBytes }, (_, block) =>
    segment.subarray(block * blockBytes, (block + 1) * blockBytes),
  );

/** For each block of the segment an equal one of the base, in runs where that can be. */
const equalBlocks = (segment: Uint8Array, similarity: Similarity): readonly (number | undefined)[] => {
  let last: number | undefined;
  return blocksOf(segment).map((block) => {
    last = similarity.equalBlock(block, last === undefined ? undefined : last + 1);
    return last;
  });
};

/** A copy, if every block is there. */
const fromBase = (segment: Uint8Array, similarity: Similarity): Draft | undefined => {
  const blocks = equalBlocks(segment, similarity);
  return blocks.includes(undefined) ? undefined : { recipe: { kind: 'copy', ranges: rangesOf(blocks as readonly number[]) } };
};

const dictionary = (
  segment: Uint8Array,
  source: Uint8Array,
  similarity: Similarity,
  level: number,
  otherwise: Draft | undefined,
): Draft => {
  const plainly = otherwise ?? plain(segment, level);
  const chosen = dictionaryBlocks(segment, source.length / blockBytes, similarity);
  if (chosen.length === 0) return plainly;
  const ranges = rangesOf(chosen);
  const content = new Uint8Array(rangesBytes(ranges));
  let used = 0;
  for (const { block, blocks } of ranges) {
    content.set(source.subarray(block * blockBytes, (block + blocks) * blockBytes), used);
    used += blocks * blockBytes;
  }
  // Cannot begin so twice: the four bytes do not overlap themselves.
  const skip = isFormattedDictionary(content) ? 1 : 0;
  const compressed = compress(segment, content.subarray(skip), level);
  return compressed.length + dictionaryOverheadBytes < (plainly.compressed?.length ?? 0)
    ? { recipe: { kind: 'dictionary', skip, ranges, piece: pieceOf(compressed) }, compressed }
    : plainly;
};

/** An equal block outweighs shared anchors; what lies beside an equal block probably became what lies beside ours. */
const votes = { equal: 64, beside: 16 } as const;

const dictionaryBlocks = (segment: Uint8Array, baseBlocks: number, similarity: Similarity): readonly number[] => {
  const tally = new Map<number, number>();
  const vote = (block: number, weight: number) => {
    if (block >= 0 && block < baseBlocks) tally.set(block, (tally.get(block) ?? 0) + weight);
  };
  const equal = equalBlocks(segment, similarity);
  for (const [at, block] of equal.entries())
    if (block !== undefined) {
      vote(block, votes.equal);
      if (equal[at - 1] === undefined) vote(block - 1, votes.beside);
      if (equal[at + 1] === undefined) vote(block + 1, votes.beside);
    }
  for (const [block, anchors] of similarity.sharedBlocks(segment)) vote(block, anchors);
  return [...tally]
    .toSorted(([blockA, a], [blockB, b]) => b - a || blockA - blockB)
    .slice(0, maxDictionaryRanges)
    .map(([block]) => block)
    .toSorted((a, b) => a - b);
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
