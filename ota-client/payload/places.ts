/**
 * Which blocks of the base a segment is best made from. For the publisher only. It keeps 16 bytes for each block of the
 * target, beside the tables of the base.
 *
 * Three kinds of votes: blocks that are equal, blocks that share content, and blocks that lie where the neighbours of
 * ours lie. The last find tables of addresses, which share no content with what they were: every entry has changed, and
 * each by as much as the next.
 */
import { done, ok, type Result } from '#hal/core/result';
import type { BlockTable } from './block-table.ts';
import { eachBlock, eachSegment, type Image } from './image.ts';
import { blockBytes, maxDictionaryRanges, segmentBytes } from './limits.ts';
import { sharedContent } from './shared-content.ts';
import { isZeros } from './zeros.ts';

export interface Places {
  /** For each block of a segment an equal one of the base, in runs where that can be; undefined where one has none. */
  copied(segment: number): readonly number[] | undefined;
  /** Blocks of the base for a dictionary, in their order; or a fault of an image. @param bytes of the segment */
  dictionary(segment: number, bytes: Uint8Array): Promise<Result<readonly number[]>>;
}

/** An equal block outweighs shared anchors; what lies beside an equal block probably became what lies beside ours. */
const votes = { equal: 64, beside: 16, neighbourly: 4 } as const;
const none = -1;
const segmentBlocks = segmentBytes / blockBytes;

/**
 * @param target whole blocks
 * @param base whole blocks
 * @param table of the base; not kept
 * @param mostPlaces of the table of anchors, which is
 * @returns the places, or a fault of an image
 */
export const placesIn = async (target: Image, base: Image, table: BlockTable, mostPlaces: number): Promise<Result<Places>> => {
  const blocks = target.sizeBytes / blockBytes;
  const equal = new Int32Array(blocks).fill(none);
  /** The best guess for each block; none for zeros, which are everywhere. */
  const guesses = new Int32Array(blocks).fill(none);
  const compared = await eachSegment(target, (segment, at) => {
    eachBlock(segment, (bytes, within) => {
      const block = at * segmentBlocks + within;
      const last = equal[block - 1] ?? none;
      const same = table.find(bytes, last === none ? undefined : last + 1) ?? none;
      equal[block] = same;
      if (same !== none && !isZeros(bytes)) guesses[block] = same;
    });
    return done;
  });
  if (!compared.ok) return compared;
  const content = sharedContent(target, base, (block) => equal[block] === none, mostPlaces);
  const guessed = await content.each((block, shared) => {
    guesses[block] = mostShared(shared) ?? none;
  });
  if (!guessed.ok) return guessed;
  const before = nearest(guesses, 1);
  const after = nearest(guesses, -1);

  return ok({
    copied(segment) {
      const found = equal.subarray(segment * segmentBlocks, (segment + 1) * segmentBlocks);
      return found.includes(none) ? undefined : [...found];
    },
    async dictionary(segment, bytes) {
      const ready = await content.reach(segment);
      if (!ready.ok) return ready;
      const tally = new Map<number, number>();
      const vote = (block: number, weight: number) => {
        if (block >= 0 && block < base.sizeBytes / blockBytes) tally.set(block, (tally.get(block) ?? 0) + weight);
      };
      const first = segment * segmentBlocks;
      eachBlock(bytes, (bytesOfBlock, within) => {
        const block = first + within;
        const same = equal[block] as number;
        if (same !== none) {
          vote(same, votes.equal);
          if (within > 0 && equal[block - 1] === none) vote(same - 1, votes.beside);
          if ((within + 1) * blockBytes < bytes.length && equal[block + 1] === none) vote(same + 1, votes.beside);
          return;
        }
        for (const [place, anchors] of content.shared(bytesOfBlock)) vote(place, anchors);
        for (const neighbour of [before[block], after[block]] as const) {
          if (neighbour === undefined || neighbour === none) continue;
          const place = (guesses[neighbour] as number) + block - neighbour;
          for (const near of [place - 1, place, place + 1]) vote(near, votes.neighbourly);
        }
      });
      return ok(
        [...tally]
          .toSorted(([blockA, a], [blockB, b]) => b - a || blockA - blockB)
          .slice(0, maxDictionaryRanges)
          .map(([block]) => block)
          .toSorted((a, b) => a - b),
      );
    },
  });
};

const mostShared = (shared: ReadonlyMap<number, number>): number | undefined => {
  let best: readonly [block: number | undefined, anchors: number] = [undefined, 0];
  for (const entry of shared) if (entry[1] > best[1]) best = entry;
  return best[0];
};

/** For each block the last one up to there that has a guess, in this direction. */
const nearest = (guesses: Int32Array, step: 1 | -1): Int32Array => {
  const found = new Int32Array(guesses.length);
  let last = none;
  for (let block = step === 1 ? 0 : guesses.length - 1; block >= 0 && block < guesses.length; block += step) {
    if (guesses[block] !== none) last = block;
    found[block] = last;
  }
  return found;
};
