/** One segment out of its recipe. What comes out is still nobody's word: the caller compares it with the index. */
import { equalBytes } from '#hal/core/bytes';
import { releaseMemory } from '#hal/core/release-memory';
import { deny, ok, type Result } from '#hal/core/result';
import type { BlockDevice } from '#hal/ports/block-device';
import { applyDelta } from './delta.ts';
import { readRanges } from './ranges.ts';
import type { Piece, Range, SegmentRecipe } from './recipe.ts';
import { sha256 } from './segment-index.ts';
import { decompress } from './zstd.ts';

/** The running slot, read through dm-verity, so that a rotten block is a fault and never wrong bytes. */
export type Source = Pick<BlockDevice, 'sizeBytes' | 'read'>;

export interface Ingredients {
  /** Absent where the recipe has no base. */
  readonly source?: Source;
  /** @returns the bytes of the piece, whose hash has been checked */
  readonly piece: (piece: Piece) => Promise<Result<Uint8Array>>;
}

/**
 * @param lengthBytes of the segment
 * @returns the bytes, `integrity/payload-malformed`, or a fault of source or pieces
 */
export const decodeSegment = async (
  recipe: SegmentRecipe,
  lengthBytes: number,
  { source, piece }: Ingredients,
): Promise<Result<Uint8Array>> => {
  switch (recipe.kind) {
    case 'zero':
      return ok(new Uint8Array(lengthBytes));
    case 'copy':
      return rangesIn(source, recipe.ranges);
    case 'zstd': {
      const compressed = await piece(recipe.piece);
      return compressed.ok ? decompress(compressed.value, undefined, lengthBytes) : compressed;
    }
    case 'dictionary':
    case 'delta': {
      const dictionary = await rangesIn(source, recipe.ranges);
      if (!dictionary.ok) return dictionary;
      const compressed = await piece(recipe.piece);
      if (!compressed.ok) return compressed;
      const usable = dictionary.value.subarray(recipe.skip);
      const made =
        recipe.kind === 'delta'
          ? applyDelta(compressed.value, usable, lengthBytes)
          : decompress(compressed.value, usable, lengthBytes);
      releaseMemory(dictionary.value);
      return made;
    }
  }
};

/** Compressed bytes are hashed before a decoder sees them. @returns the bytes, or `integrity/segment-mismatch` */
export const checkPiece = (bytes: Uint8Array, piece: Piece): Result<Uint8Array> =>
  bytes.length === piece.lengthBytes && equalBytes(sha256(bytes), piece.sha256)
    ? ok(bytes)
    : deny('integrity', 'segment-mismatch', `compressed bytes at ${piece.offsetBytes}`);

/** @returns memory of its own: the caller's */
const rangesIn = async (source: Source | undefined, ranges: readonly Range[]): Promise<Result<Uint8Array>> =>
  source === undefined
    ? deny('integrity', 'payload-malformed', 'a recipe without a base takes from it')
    : readRanges(source, ranges);
