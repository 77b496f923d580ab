/**
 * Which blocks of the base a segment is best made from. For the publisher only.
 *
 * Three kinds of votes: blocks that are equal, blocks that share content, and blocks that lie where the neighbours of
 * ours lie. The last find tables of addresses, which share no content with what they were: every entry has changed, and
 * each by as much as the next.
 */
import { blockBytes, maxDictionaryRanges } from './limits.ts';
import type { Similarity } from './similarity.ts';

export interface Places {
  /** For each of these blocks of the target an equal one of the base, in runs where that can be. */
  equal(firstBlock: number, blocks: number): readonly (number | undefined)[];
  /** Blocks of the base for a dictionary, in their order. */
  dictionary(firstBlock: number, blocks: number): readonly number[];
}

/** An equal block outweighs shared anchors; what lies beside an equal block probably became what lies beside ours. */
const votes = { equal: 64, beside: 16, neighbourly: 4 } as const;

/** @param target whole blocks */
export const placesIn = (target: Uint8Array, baseBlocks: number, similarity: Similarity): Places => {
  const blocksOfTarget = target.length / blockBytes;
  const blockAt = (block: number) => target.subarray(block * blockBytes, (block + 1) * blockBytes);
  const equal: (number | undefined)[] = [];
  const shared: ReadonlyMap<number, number>[] = [];
  /** The best guess for each block; none for zeros, which are everywhere. */
  const guesses: (number | undefined)[] = [];
  for (let block = 0; block < blocksOfTarget; block += 1) {
    const bytes = blockAt(block);
    const last = equal[block - 1];
    const same = similarity.equalBlock(bytes, last === undefined ? undefined : last + 1);
    const alike = same === undefined ? similarity.sharedBlocks(bytes) : noBlocks;
    equal.push(same);
    shared.push(alike);
    guesses.push(same === undefined ? mostShared(alike) : bytes.some((byte) => byte !== 0) ? same : undefined);
  }
  const before = nearest(guesses);
  const after = nearest(guesses.toReversed())
    .toReversed()
    .map((at) => (at === undefined ? undefined : blocksOfTarget - 1 - at));

  return {
    equal: (first, blocks) => equal.slice(first, first + blocks),
    dictionary(first, blocks) {
      const tally = new Map<number, number>();
      const vote = (block: number, weight: number) => {
        if (block >= 0 && block < baseBlocks) tally.set(block, (tally.get(block) ?? 0) + weight);
      };
      for (let block = first; block < first + blocks; block += 1) {
        const same = equal[block];
        if (same !== undefined) {
          vote(same, votes.equal);
          if (block > first && equal[block - 1] === undefined) vote(same - 1, votes.beside);
          if (block + 1 < first + blocks && equal[block + 1] === undefined) vote(same + 1, votes.beside);
          continue;
        }
        for (const [place, anchors] of shared[block] ?? noBlocks) vote(place, anchors);
        for (const neighbour of [before[block], after[block]]) {
          if (neighbour === undefined) continue;
          const place = (guesses[neighbour] as number) + block - neighbour;
          for (const near of [place - 1, place, place + 1]) vote(near, votes.neighbourly);
        }
      }
      return [...tally]
        .toSorted(([blockA, a], [blockB, b]) => b - a || blockA - blockB)
        .slice(0, maxDictionaryRanges)
        .map(([block]) => block)
        .toSorted((a, b) => a - b);
    },
  };
};

const noBlocks: ReadonlyMap<number, number> = new Map();

const mostShared = (shared: ReadonlyMap<number, number>): number | undefined => {
  let best: readonly [block: number | undefined, anchors: number] = [undefined, 0];
  for (const entry of shared) if (entry[1] > best[1]) best = entry;
  return best[0];
};

/** For each place the last one up to there that has a guess. */
const nearest = (guesses: readonly (number | undefined)[]): (number | undefined)[] => {
  let last: number | undefined;
  return guesses.map((guess, at) => {
    if (guess !== undefined) last = at;
    return last;
  });
};
