/**
 * The sweep: each life of a story is cut at every operation, in every fate; what is left is checked, and lived on from,
 * and that life is cut in its turn.
 *
 * A *check* is one state that the cut of one life can leave (operation x fate x subset of the unflushed writes; states of
 * one life that are equal count once). The machine is started on it, everything that must hold is looked at, and a person
 * without a network brings it to a committed slot. A *life* is a whole recovery from one state, up to the end of its
 * story. Equal states are lived from once.
 */
import { type PowerFate, type PowerState, powerFates, powerStates, stateName } from '#hal/memory/power-states';
import type { Random } from '#hal/ports/random';
import type { Board, LifeState } from './board.fixture.ts';
import { checkAfterCut, type Reached } from './check.fixture.ts';
import { type Life, live, type Made, type Moment } from './life.fixture.ts';
import { sweepWindowSegments } from './releases.fixture.ts';
import type { Story } from './stories.fixture.ts';

export interface SweepOptions {
  readonly random: Random;
  /** Cuts one after the other: with 2 every recovery from a cut is cut in its turn. */
  readonly cuts: number;
  /** Random choices of cells and sectors at each operation. */
  readonly tornPerCut: number;
  /** Of the states that all cuts but the last left, so many are lived from and cut; a seeded choice, all unless it is given. */
  readonly mostLastStates?: number;
  /** Of what the last cuts of one life leave, so many are lived from to the end, too; one unless it is given. */
  readonly lastLives?: number;
  /** After each step, with what was counted up to then. */
  readonly onProgress?: (tally: SweepTally) => void;
}

export interface SweepTally {
  checks: number;
  lives: number;
  readonly fates: Record<PowerFate, number>;
  readonly reached: Record<Reached, number>;
  /** Segments made again by one life after a kill, and after a cut; segments on the medium verified again by one life. */
  mostAfterKill: number;
  /** Of stories in which the hands copy, which costs no byte of the network. */
  mostCopiedAfterKill: number;
  mostAfterCut: number;
  mostRechecked: number;
}

export const emptyTally = (): SweepTally => ({
  ...{ checks: 0, lives: 0, mostAfterKill: 0, mostCopiedAfterKill: 0, mostAfterCut: 0, mostRechecked: 0 },
  fates: Object.fromEntries(powerFates.map((fate) => [fate, 0])) as Record<PowerFate, number>,
  reached: { active: 0, repair: 0 },
});

/** A state to live on from, and how it came to be. */
interface Left extends LifeState {
  readonly made?: Made;
  /** Of what was made, how many segments a later life may have to make again. */
  readonly limit: number;
  readonly how: string;
}

/** After a kill the one that was on its way, of copies as many as are written at once; after a cut also all that no flush had made durable: a window. */
const limitAfter = (fate: PowerFate, { base }: Story): number =>
  fate === 'killed' ? (base === 'copied' ? sweepWindowSegments : 1) : sweepWindowSegments + 1;

/** @throws naming board, story, the cuts that led there, and what does not hold */
export const sweep = async (board: Board, story: Story, options: SweepOptions, tally: SweepTally): Promise<void> => {
  const { cuts, random, mostLastStates = Number.POSITIVE_INFINITY, lastLives = 1, onProgress } = options;
  const known = new Set<string>();
  let from: readonly Left[] = [{ ...(await story.start(board)), how: '', limit: 0 }];
  for (let cut = 1; cut <= cuts; cut += 1) {
    const next: Left[] = [];
    for (const state of cut < cuts ? from : chosen(from, mostLastStates, random)) {
      const contents = board.pool.size;
      const left = await cutLife(board, story, state, options, tally);
      onProgress?.(tally);
      if (cut < cuts) {
        for (const after of left) if (isNew(known, after)) next.push(after);
        continue;
      }
      for (const after of chosen(left, lastLives, random)) await lived(board, story, after, tally);
      board.pool.shrink(contents);
    }
    from = next;
  }
};

/** @returns so many of them, none twice */
const chosen = <T>(all: readonly T[], most: number, random: Random): readonly T[] => {
  if (all.length <= most) return all;
  const left = [...all];
  const draws = new DataView(random.bytes(4 * most).buffer);
  for (let at = 0; at < most; at += 1) {
    const other = at + (draws.getUint32(4 * at) % (left.length - at));
    [left[at], left[other]] = [left[other] as T, left[at] as T];
  }
  return left.slice(0, most);
};

const cutLife = async (
  board: Board,
  story: Story,
  from: Left,
  { random, tornPerCut }: SweepOptions,
  tally: SweepTally,
): Promise<readonly Left[]> => {
  const life = await lived(board, story, from, tally);
  const left: Left[] = [];
  for (const cut of powerStates(from.media, life.operations, { pool: board.pool, random, tornPerCut })) {
    const { atOperation, fate } = cut;
    if (fate === 'killed' && life.starts.some(({ begunAt, at }) => atOperation > begunAt && atOperation < at)) continue;
    const after = leftBy(cut, life, from, story);
    const before = lastOf(life.looks, atOperation);
    const reached = await told(board, story, after, () => checkAfterCut(board, story, after, before));
    tally.checks += 1;
    tally.fates[fate] += 1;
    tally.reached[reached] += 1;
    if (reached === 'active') left.push(after);
  }
  return left;
};

/** A whole life; it makes no more again than the cut before it cost. */
const lived = async (board: Board, story: Story, from: Left, tally: SweepTally): Promise<Life> => {
  const life = await told(board, story, from, () => live(board, story, from, from.made));
  const { again, rechecked } = life;
  await told(board, story, from, async () => {
    if (again > from.limit) throw new Error(`resume: ${again} segments made again`);
    if (rechecked > sweepWindowSegments) throw new Error(`resume: ${rechecked} segments verified again`);
  });
  tally.lives += 1;
  if (from.limit !== limitAfter('killed', story)) tally.mostAfterCut = Math.max(tally.mostAfterCut, again);
  else if (story.base === 'copied') tally.mostCopiedAfterKill = Math.max(tally.mostCopiedAfterKill, again);
  else tally.mostAfterKill = Math.max(tally.mostAfterKill, again);
  tally.mostRechecked = Math.max(tally.mostRechecked, rechecked);
  return life;
};

const leftBy = ({ atOperation, fate, cells, pending }: PowerState, life: Life, from: Left, story: Story): Left => {
  const begun = lastOf(life.made, atOperation);
  const made = begun ?? from.made;
  const running = fate === 'killed' ? lastOf(life.starts, atOperation) : undefined;
  return {
    media: { cells, pending },
    offered: lastOf(life.offers, atOperation) ?? from.offered ?? 0,
    limit: Math.max(limitAfter(fate, story), begun === undefined ? from.limit : 0),
    how: `${from.how} cut at ${atOperation} of ${life.operations.length}, ${fate};`,
    ...(running === undefined ? {} : { running }),
    ...(made === undefined ? {} : { made }),
  };
};

const isNew = (known: Set<string>, { offered, running, media }: Left): boolean => {
  const before = known.size;
  return known.add(`${offered} ${running ?? ''} ${stateName(media)}`).size > before;
};

const lastOf = <T>(moments: readonly Moment<T>[], at: number): T | undefined =>
  moments.findLast((moment) => moment.at <= at)?.what;

const told = async <T>(board: Board, story: Story, { how }: Left, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`${board.name}, ${story.name},${how} ${what}`, { cause: error });
  }
};
