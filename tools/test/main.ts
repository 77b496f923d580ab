/**
 * Runs the tiers named on the command line and sums them up.
 *
 * usage: node tools/test/main.ts unit parts day page
 * Last line: `N passed, N failed, N skipped`. A tier that ran no test is red: silence is no success.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runTier } from './run-tier.ts';
import { summarize } from './summary.ts';
import { isTier, tiers } from './tiers.ts';

const root = join(import.meta.dirname, '../..');
const reports = join(root, 'build/test');
const wanted = process.argv.slice(2);
if (wanted.length === 0 || !wanted.every(isTier)) {
  process.stderr.write(`usage: node tools/test/main.ts TIER…  (${Object.keys(tiers).join(', ')})\n`);
  process.exit(2);
}
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

const vitest = [process.execPath, join(root, 'node_modules/vitest/vitest.mjs')] as const;
const results = wanted.filter(isTier).map((tier) => {
  process.stdout.write(`\n== ${tier} ==\n`);
  return runTier(tier, vitest, root, join(reports, `${tier}.json`));
});
const { lines, isGreen } = summarize(results);
process.stdout.write(`\n${lines.join('\n')}\n`);
process.exit(isGreen ? 0 : 1);
