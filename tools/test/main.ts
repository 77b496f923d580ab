/**
 * Runs the tiers named on the command line and sums them up.
 *
 * usage: node tools/test/main.ts unit parts day page
 * Last line: `N passed, N failed, N skipped`. A tier that ran no test is red: silence is no success.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { summarize, type TierResult } from './summary.ts';

const root = join(import.meta.dirname, '../..');
const reports = join(root, 'build/test');
const tiers = process.argv.slice(2);
if (tiers.length === 0) {
  process.stderr.write('usage: node tools/test/main.ts TIER…\n');
  process.exit(2);
}
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

const results: TierResult[] = tiers.map((tier) => {
  process.stdout.write(`\n== ${tier} ==\n`);
  const report = join(reports, `${tier}.json`);
  const words = ['run', '--project', tier, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...words], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return { tier, hasFailed: status !== 0, report: readReport(report) };
});

function readReport(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

const { lines, isGreen } = summarize(results);
process.stdout.write(`\n${lines.join('\n')}\n`);
process.exit(isGreen ? 0 : 1);
