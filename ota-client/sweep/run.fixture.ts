/** The whole sweep: every story on every board. */
import { blockPool } from '#hal/memory/block-pool';
import { seededRandom } from '#hal/memory/random';
import { type BoardName, board, boardNames } from './board.fixture.ts';
import { stories } from './stories.fixture.ts';
import { type SweepOptions, type SweepTally, sweep } from './sweep.fixture.ts';

export interface SweepPart {
  readonly boardName: BoardName;
  readonly storyName: string;
}

export const sweepParts: readonly SweepPart[] = boardNames.flatMap((boardName) =>
  stories.map(({ name }) => ({ boardName, storyName: name })),
);

/** @param seed with this the same part does the same again */
export const sweepPart = async (
  { boardName, storyName }: SweepPart,
  seed: string,
  options: Omit<SweepOptions, 'random'>,
  tally: SweepTally,
): Promise<void> => {
  const story = stories.find(({ name }) => name === storyName);
  if (story === undefined) throw new Error(`no story ${storyName}`);
  const random = seededRandom(`sweep ${seed} ${boardName} ${storyName}`);
  await sweep(board(boardName, blockPool()), story, { ...options, random }, tally);
};

/** One line of figures. */
export const tallyLine = ({
  checks,
  lives,
  fates,
  reached,
  mostAfterKill,
  mostCopiedAfterKill,
  mostAfterCut,
  mostRechecked,
}: SweepTally): string =>
  [
    `${checks} checks (${Object.entries(fates)
      .map(([fate, count]) => `${count} ${fate}`)
      .join(', ')})`,
    `${lives} lives to the end`,
    `${reached.active} active, ${reached.repair} by recovery`,
    `made again at most ${mostAfterKill} segment after a kill, ${mostCopiedAfterKill} copies, ${mostAfterCut} after a cut, verified again ${mostRechecked}`,
  ].join('; ');
