/**
 * Every cut of every story, and every cut of every recovery from one: no brick, nothing wrong committed, nothing lost that
 * was durable. Acceptance: 100,000 checks. In this tier for its time alone: half a minute of a processor.
 */
import { expect, test } from 'vitest';
import { sweepPart, sweepParts, tallyLine } from './run.fixture.ts';
import { emptyTally } from './sweep.fixture.ts';

const seed = process.env['FUZZ_SEED'] ?? 'two cuts';

test(`two cuts, at every operation of every story and of every recovery (FUZZ_SEED=${seed})`, async () => {
  const tally = emptyTally();
  for (const part of sweepParts) await sweepPart(part, seed, { cuts: 2, tornPerCut: 2 }, tally);
  process.stderr.write(`${tallyLine(tally)}\n`);
  expect(tally.checks).toBeGreaterThanOrEqual(100_000);
  expect(tally.reached.active + tally.reached.repair).toBe(tally.checks);
  expect(tally.mostAfterKill).toBeLessThanOrEqual(1);
}, 600_000);
