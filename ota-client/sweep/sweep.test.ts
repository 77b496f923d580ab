/** Every cut of every story, once, with the life after it. `sweep.parts.test.ts` cuts those lives too, `make sweep` a third time. */
import { describe, expect, test } from 'vitest';
import { sweepPart, sweepParts, tallyLine } from './run.fixture.ts';
import { emptyTally } from './sweep.fixture.ts';

const seed = process.env['FUZZ_SEED'] ?? 'one cut';

describe(`one cut (FUZZ_SEED=${seed})`, () => {
  test.each(sweepParts)(
    'at every operation of $storyName on $boardName leaves a machine that starts and comes to the end',
    async (part) => {
      const tally = emptyTally();
      await sweepPart(part, seed, { cuts: 1, tornPerCut: 4, lastLives: 40 }, tally);
      expect(Math.min(...Object.values(tally.fates)), tallyLine(tally)).toBeGreaterThan(0);
      expect(tally.mostAfterKill).toBeLessThanOrEqual(1);
    },
  );
});
