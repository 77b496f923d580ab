/**
 * Makes the model of the image, agents/defense/image-model.ts, from the recorded corpus; with --record it first records
 * the corpus anew on this machine (x86-64, strace, perl). Without it, the same corpus gives the same bytes.
 *
 * Figures of the committed one (Debian 12, Linux 6.18, 18 programs of 10 variants, every fifth variant kept back): of the
 * 24 ordinary runs kept back no window is a risk, and each of the 12 attacks kept back is called by its name. With a whole
 * program left out of training (`--figures`), 55 of 60 attacks of a make that it never saw are still a risk, 10 of them by
 * the right name; so are 101 of 120 runs of ordinary programs that it never saw: it knows its baseline, and little else.
 *
 * usage: node --no-warnings sim/machine/syscalls-train.ts [--record] [--figures]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { categoriesByRisk, riskOf } from '#agents/defense/assessment';
import { openModel } from '#agents/defense/model';
import { judgeWindow } from '#agents/defense/score';
import { type Run, train } from '#agents/defense/train';
import { toBase64, toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { recordProgram } from './syscalls.ts';
import { corpusPath, encodeCorpus, readCorpus } from './syscalls-corpus.ts';
import { workloads } from './syscalls-workloads.ts';

const version = 1;
const processor = 'x64';
const variants = 10;
const target = join(import.meta.dirname, '../../agents/defense/image-model.ts');

const record = async (): Promise<readonly Run[]> => {
  const runs: Run[] = [];
  for (const { name, conduct, recording } of workloads)
    for (let variant = 0; variant < variants; variant += 1) {
      const directory = mkdtempSync(join(tmpdir(), 'enigm-workload-'));
      const recorded = unwrap(await recordProgram(recording(directory, variant)));
      rmSync(directory, { recursive: true, force: true });
      runs.push({ name, conduct, variant, windows: recorded.map(({ calls }) => calls) });
    }
  return runs;
};

/** Each program judged by a model that never saw it: how many of its runs are at worst called what. */
const leaveOneOut = (runs: readonly Run[]): void => {
  for (const name of new Set(runs.map((run) => run.name))) {
    const model = unwrap(
      openModel(unwrap(train({ version, processor, runs: runs.filter((run) => run.name !== name) })), processor),
    );
    const worst = runs
      .filter((run) => run.name === name)
      .map(({ windows }) => Math.max(...windows.map((calls) => riskOf(judgeWindow(model, calls).category))));
    const counts = categoriesByRisk.map((category, risk) => `${category} ${worst.filter((found) => found === risk).length}`);
    process.stderr.write(`${name.padEnd(12)} ${counts.join(', ')}\n`);
  }
};

if (process.argv.includes('--record')) writeFileSync(corpusPath, encodeCorpus(await record()));
const runs = readCorpus();
const payload = unwrap(train({ version, processor, runs }));
writeFileSync(
  target,
  `/** Made by sim/machine/syscalls-train.ts: the \`DetectionModel\` that the image carries, in base64. What it does not detect: model.ts. */
export const imageModel =
  '${toBase64(payload)}';
`,
);
process.stderr.write(`${payload.length} bytes, ${toHex(unwrap(openModel(payload, processor)).digest)}\n`);
if (process.argv.includes('--figures')) leaveOneOut(runs);
