/** One segment, as small as a recipe can say it: the compressed bytes, and how they are used. */
import { releaseMemory } from '#hal/core/release-memory';
import { ok, type Result } from '#hal/core/result';
import { encodeDelta } from './delta.ts';
import { difference } from './difference.ts';
import type { Image } from './image.ts';
import type { Places } from './places.ts';
import { rangesOf, readRanges } from './ranges.ts';
import type { Piece, SegmentRecipe } from './recipe.ts';
import { sha256 } from './segment-index.ts';
import { compress, isFormattedDictionary } from './zstd.ts';

/** A recipe before its piece has a place. */
export interface Draft {
  readonly recipe: SegmentRecipe;
  readonly compressed?: Uint8Array;
}

/** What a dictionary recipe says beyond a plain one, roughly: it must be worth that. */
const dictionaryOverheadBytes = 64;

export const zeroDraft: Draft = { recipe: { kind: 'zero' } };

export const plainDraft = (segment: Uint8Array, level: number): Draft => {
  const compressed = compress(segment, undefined, level);
  return { recipe: { kind: 'zstd', piece: pieceOf(compressed) }, compressed };
};

/** The place of a piece is its place in the order, so it is not written. */
const pieceOf = (compressed: Uint8Array): Piece => ({
  offsetBytes: 0,
  lengthBytes: compressed.length,
  sha256: sha256(compressed),
});

/** What segments are made from, on a device that has it. */
export interface Base {
  readonly image: Image;
  readonly places: Places;
}

/**
 * From the base, where that is smaller.
 * @param plainly the segment without a base
 * @returns the draft, or a fault of an image
 */
export const pairDraft = async (
  segment: Uint8Array,
  at: number,
  { image, places }: Base,
  plainly: Draft,
  level: number,
): Promise<Result<Draft>> => {
  const copied = await copyDraft(segment, at, { image, places });
  if (!copied.ok) return copied;
  if (copied.value !== undefined) return ok(copied.value);
  const blocks = await places.dictionary(at, segment);
  if (!blocks.ok) return blocks;
  const ranges = rangesOf(blocks.value);
  if (ranges.length === 0) return ok(plainly);
  const content = await readRanges(image, ranges);
  if (!content.ok) return content;
  // Cannot begin so twice: the four bytes do not overlap themselves.
  const skip = isFormattedDictionary(content.value) ? 1 : 0;
  const dictionary = content.value.subarray(skip);
  const candidates = [
    { kind: 'dictionary', compressed: compress(segment, dictionary, level) },
    { kind: 'delta', compressed: encodeDelta(difference(segment, dictionary), dictionary, level) },
  ] as const;
  releaseMemory(content.value);
  let best = plainly;
  for (const { kind, compressed } of candidates)
    if (compressed !== undefined && compressed.length + dictionaryOverheadBytes < (best.compressed?.length ?? 0))
      best = { recipe: { kind, skip, ranges, piece: pieceOf(compressed) }, compressed };
  return ok(best);
};

/** A copy, if every block is there: places only say so, and here it is compared. */
const copyDraft = async (segment: Uint8Array, at: number, { image, places }: Base): Promise<Result<Draft | undefined>> => {
  const blocks = places.copied(at);
  if (blocks === undefined) return ok(undefined);
  const ranges = rangesOf(blocks);
  const content = await readRanges(image, ranges);
  if (!content.ok) return content;
  const isSame = Buffer.compare(content.value, segment) === 0;
  releaseMemory(content.value);
  return ok(isSame ? { recipe: { kind: 'copy', ranges } } : undefined);
};
