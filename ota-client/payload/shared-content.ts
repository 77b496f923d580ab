/**
 * Where the base has content of those blocks of the target that it has nowhere whole. With few of them one look at the base
 * is enough; of an image that changed all over it takes one for each stretch whose anchors the table holds.
 */
import { done, type Result } from '#hal/core/result';
import { anchorTable } from './anchors.ts';
import { eachBlock, eachSegment, type Image, takeSegment } from './image.ts';
import { blockBytes, segmentBytes, segmentCount } from './limits.ts';

export interface SharedContent {
  /** Every such block in order, with the blocks of the base that share content with it. */
  each(take: (block: number, shared: ReadonlyMap<number, number>) => void): Promise<Result<void>>;
  /** Before the blocks of a segment are asked for; in order, nothing is looked up twice. */
  reach(segment: number): Promise<Result<void>>;
  /** Of a block of the segment that was reached. */
  shared(block: Uint8Array): ReadonlyMap<number, number>;
}

const segmentBlocks = segmentBytes / blockBytes;

/**
 * @param isWanted whether a block of the target is one of those
 * @param mostPlaces of the table of anchors
 */
export const sharedContent = (
  target: Image,
  base: Image,
  isWanted: (block: number) => boolean,
  mostPlaces: number,
): SharedContent => {
  const count = segmentCount(target.sizeBytes);
  const blocks = target.sizeBytes / blockBytes;
  const memory = new Uint8Array(Math.min(segmentBytes, target.sizeBytes));
  const table = anchorTable(countWhere(blocks, isWanted), mostPlaces);
  /** Segments whose anchors the table has, the last not among them. */
  let from = 0;
  let to = 0;
  const hasWanted = (segment: number): boolean => {
    const end = Math.min(blocks, (segment + 1) * segmentBlocks);
    for (let block = segment * segmentBlocks; block < end; block += 1) if (isWanted(block)) return true;
    return false;
  };
  const wantedOf = (segment: number, take: (bytes: Uint8Array, block: number) => void): Promise<Result<void>> =>
    takeSegment(target, segment, memory, (bytes) => {
      eachBlock(bytes, (block, within) => {
        if (isWanted(segment * segmentBlocks + within)) take(block, segment * segmentBlocks + within);
      });
      return done;
    });
  const load = async (first: number): Promise<Result<void>> => {
    table.clear();
    for (from = first, to = first; to < count && !table.isFull; to += 1) {
      const read = hasWanted(to) ? await wantedOf(to, table.want) : done;
      if (!read.ok) return read;
    }
    const note = table.note();
    return eachSegment(base, (piece) => {
      note(piece);
      return done;
    });
  };
  const reach = async (segment: number): Promise<Result<void>> => (segment >= from && segment < to ? done : load(segment));
  return {
    reach,
    shared: table.shared,
    async each(take) {
      for (let segment = 0; segment < count; segment += 1) {
        if (!hasWanted(segment)) continue;
        const reached = await reach(segment);
        const taken = reached.ok ? await wantedOf(segment, (bytes, block) => take(block, table.shared(bytes))) : reached;
        if (!taken.ok) return taken;
      }
      return done;
    },
  };
};

const countWhere = (end: number, holds: (at: number) => boolean): number => {
  let count = 0;
  for (let at = 0; at < end; at += 1) if (holds(at)) count += 1;
  return count;
};
