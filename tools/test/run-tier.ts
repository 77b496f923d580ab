/** One tier, run by vitest, with its report. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { TierResult } from './summary.ts';
import { type Tier, tiers } from './tiers.ts';

export const reporter = join(import.meta.dirname, 'reporter.ts');

/**
 * @param vitest the command and its first words
 * @param reportPath where the report is written; nothing may be there yet
 */
export const runTier = (
  tier: Tier,
  [command, ...words]: readonly [string, ...string[]],
  directory: string,
  reportPath: string,
): TierResult => {
  const files = Math.ceil(availableParallelism() * tiers[tier].filesPerProcessor);
  const options = [
    ...['run', '--project', tier, `--maxWorkers=${files}`],
    ...['--reporter=default', `--reporter=${reporter}`, `--outputFile.json=${reportPath}`],
  ];
  const { status } = spawnSync(command, [...words, ...options], { cwd: directory, stdio: ['ignore', 'inherit', 'inherit'] });
  return { tier, hasFailed: status !== 0, report: readReport(reportPath) };
};

const readReport = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
};
