/**
 * The power-cut sweep: all three cuts one after the other, and a fourth after some of the states that three of them leave.
 * All parts together are some 16,000,000 checks, at about 2,000 a second of a processor.
 */
import { linuxClock } from '#hal/linux/clock';
import { toolWords } from '#hal/linux/tool-words';
import { type SweepPart, sweepPart, sweepParts, tallyLine } from './run.fixture.ts';
import { emptyTally, type SweepTally } from './sweep.fixture.ts';

const reportEveryMs = 10_000;
const cuts = 4;
const options = { seed: { type: 'string', default: 'make sweep' }, states: { type: 'string', default: '15000' } } as const;
const nameOf = ({ boardName, storyName }: SweepPart): string => `${boardName}/${storyName}`;
const usage = `usage: tsx ota-client/sweep/main.ts [--seed WORD] [--states N] [PART …]

  --seed    another one tears other sectors and chooses other states
  --states  after which a fourth cut is made
  PART      to go on where one ended, or on another processor; all where none is named:
${sweepParts.map((part) => `            ${nameOf(part)}`).join('\n')}

Progress is on standard error. exit code: 0 everything holds, 1 something does not, with the command that shows it again,
2 these words`;
const { values, positionals } = toolWords(usage, options, true);
const mostLastStates = Number(values.states);
const parts = positionals.length === 0 ? sweepParts : sweepParts.filter((part) => positionals.includes(nameOf(part)));
const say = (line: string) => void process.stderr.write(`${line}\n`);
if (!Number.isSafeInteger(mostLastStates) || mostLastStates < 1 || parts.length < Math.max(1, positionals.length)) {
  say(usage);
  process.exit(2);
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
