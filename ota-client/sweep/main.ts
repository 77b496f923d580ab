/**
 * usage: tsx ota-client/sweep/main.ts [--seed WORD] [--states N] [PART …]
 * The power-cut sweep: all three cuts one after the other, and a fourth after N (15,000) of the states that three of them
 * leave. All parts together are some 16,000,000 checks, at about 2,000 a second of a processor. PART is BOARD/STORY: to
 * go on where one ended, or on another processor. Another seed tears other sectors and chooses other states.
 * Progress on standard error; exit code 1 where something does not hold, with the command that shows it again.
 */
import { parseArgs } from 'node:util';
import { linuxClock } from '#hal/linux/clock';
import { type SweepPart, sweepPart, sweepParts, tallyLine } from './run.fixture.ts';
import { emptyTally, type SweepTally } from './sweep.fixture.ts';

const reportEveryMs = 10_000;
const cuts = 4;
const options = { seed: { type: 'string', default: 'make sweep' }, states: { type: 'string', default: '15000' } } as const;
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const mostLastStates = Number(values.states);
const nameOf = ({ boardName, storyName }: SweepPart): string => `${boardName}/${storyName}`;
const parts = positionals.length === 0 ? sweepParts : sweepParts.filter((part) => positionals.includes(nameOf(part)));
const say = (line: string) => void process.stderr.write(`${line}\n`);
if (!Number.isSafeInteger(mostLastStates) || mostLastStates < 1 || parts.length < Math.max(1, positionals.length)) {
  say(`expected a number of states, and parts out of: ${sweepParts.map(nameOf).join(' ')}`);
  process.exit(1);
}

const clock = linuxClock();
const startMs = clock.bootMs();
const tally = emptyTally();
let reportedMs = startMs;
const report = (part: SweepPart) => (now: SweepTally) => {
  if (clock.bootMs() - reportedMs < reportEveryMs) return;
  reportedMs = clock.bootMs();
  say(`${nameOf(part)}: ${now.checks} checks in ${((reportedMs - startMs) / 1000).toFixed(0)} s`);
};

for (const part of parts) {
  try {
    await sweepPart(part, values.seed, { cuts, tornPerCut: 2, mostLastStates, onProgress: report(part) }, tally);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    say(`again: tsx ota-client/sweep/main.ts --seed '${values.seed}' --states ${mostLastStates} ${nameOf(part)}`);
    process.exit(1);
  }
  say(`${nameOf(part)} is done, part ${parts.indexOf(part) + 1} of ${parts.length}`);
}
say(`${tallyLine(tally)}; ${((clock.bootMs() - startMs) / 1000).toFixed(0)} s`);
