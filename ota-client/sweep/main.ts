/**
 * usage: tsx ota-client/sweep/main.ts [--checks N] [--seed WORD] [PART …]
 * The power-cut sweep with three cuts one after the other, all combinations of them, until N checks (10,000,000) were made.
 * PART is BOARD/STORY, each of them unless some are named: to go on where one ended, or on another machine. Another seed
 * tears other sectors; when all parts are done and checks are wanted still, they are done again with the seed `WORD 2`.
 * Progress on standard error; exit code 1 where something does not hold, with the command that shows it again.
 */
import { parseArgs } from 'node:util';
import { linuxClock } from '#hal/linux/clock';
import { type SweepPart, sweepPart, sweepParts, tallyLine } from './run.fixture.ts';
import { emptyTally, type SweepTally } from './sweep.fixture.ts';

const reportEveryMs = 10_000;
const options = { checks: { type: 'string', default: '10000000' }, seed: { type: 'string', default: 'make sweep' } } as const;
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const wanted = Number(values.checks);
const nameOf = ({ boardName, storyName }: SweepPart): string => `${boardName}/${storyName}`;
const parts = positionals.length === 0 ? sweepParts : sweepParts.filter((part) => positionals.includes(nameOf(part)));
if (!Number.isSafeInteger(wanted) || wanted < 1 || parts.length < Math.max(1, positionals.length)) {
  process.stderr.write(`expected a number of checks, and parts out of: ${sweepParts.map(nameOf).join(' ')}\n`);
  process.exit(1);
}

const say = (line: string) => void process.stderr.write(`${line}\n`);
const clock = linuxClock();
const startMs = clock.bootMs();
const tally = emptyTally();
let reportedMs = startMs;
const report = (where: string) => (now: SweepTally) => {
  if (clock.bootMs() - reportedMs < reportEveryMs) return;
  reportedMs = clock.bootMs();
  const seconds = (reportedMs - startMs) / 1000;
  const left = Math.max(0, wanted - now.checks) / (now.checks / seconds);
  say(`${where}: ${now.checks} checks in ${seconds.toFixed(0)} s, ${(left / 60).toFixed(0)} minutes left`);
};

for (let round = 1; tally.checks < wanted; round += 1) {
  const seed = round === 1 ? values.seed : `${values.seed} ${round}`;
  for (const part of parts) {
    if (tally.checks >= wanted) break;
    const onProgress = report(nameOf(part));
    try {
      await sweepPart(part, seed, { cuts: 3, tornPerCut: 2, onProgress }, tally);
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
      say(`again: tsx ota-client/sweep/main.ts --seed '${seed}' ${nameOf(part)}`);
      process.exit(1);
    }
    say(`${nameOf(part)} with seed '${seed}' is done: ${tallyLine(tally)}`);
  }
}
say(`${((clock.bootMs() - startMs) / 1000).toFixed(0)} s`);
