/** What the lives of the sweep are about. Resuming, arming, committing and the floor are in each of them. */
import type { TestRelease } from '../apply/releases.fixture.ts';
import type { Board, LifeState } from './board.fixture.ts';
import { first, fourth, second, third } from './releases.fixture.ts';

export interface Story {
  readonly name: string;
  /** One release after the other; the next where one is refused. */
  readonly releases: readonly TestRelease[];
  /** Those whose trial is not well. */
  readonly ill: readonly TestRelease[];
  /** Whether the device knows what it runs, so that recipes from it serve; and whether its hands copy what is in it. */
  readonly base: 'unknown' | 'known' | 'copied';
  /** Over the slot as it is: a person asks, who brings the release on a stick (SR-12). */
  readonly isForced: boolean;
  /** Where it begins. */
  readonly start: (board: Board) => Promise<LifeState>;
}

/** As after an earlier update. */
const factory = async (board: Board): Promise<LifeState> => ({ media: await board.laidOut({ a: first, b: first, runs: 'a' }) });

export const stories: readonly Story[] = [
  { name: 'delta', releases: [second], ill: [], base: 'known', isForced: false, start: factory },
  { name: 'copies', releases: [second], ill: [], base: 'copied', isForced: false, start: factory },
  { name: 'any source', releases: [fourth], ill: [], base: 'known', isForced: false, start: factory },
  { name: 'full', releases: [second], ill: [], base: 'unknown', isForced: false, start: factory },
  { name: 'rollback', releases: [second, third], ill: [second], base: 'known', isForced: false, start: factory },
  {
    ...{ name: 'repair', releases: [third], ill: [], base: 'unknown', isForced: true },
    start: async (board) => ({ media: await board.laidOut({ a: first, b: second, runs: 'a', failed: 'b' }) }),
  },
  {
    ...{ name: 'fallback', releases: [second], ill: [], base: 'known', isForced: false },
    start: async (board) => ({ media: await board.laidOut({ a: first, b: second, runs: 'b', rotten: 'b' }) }),
  },
];
