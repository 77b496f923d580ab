/** Fuzzes what a device or its verifier reads: a million inputs for each parser. */
import { toolWords } from '#hal/linux/tool-words';
import { parsers } from './parsers.ts';
import { fuzz } from './run.ts';

const usage = `usage: tsx tools/fuzz/main.ts [--executions N] [--seed N] [--from ROUND] [--parser NAME]

exit code: 0 nothing was found, 1 something was, with the words that show it again, 2 these words`;
const { values } = toolWords(usage, {
  executions: { type: 'string', default: '1000000' },
  seed: { type: 'string', default: '1' },
  from: { type: 'string', default: '0' },
  parser: { type: 'string' },
});
const [executions, seed, from] = [values.executions, values.seed, values.from].map(Number) as [number, number, number];
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const options = { seed, from, executions, limitMs: 2_000, cpuMs };
let findings = 0;
let parsersRun = 0;
for (const parser of await parsers()) {
  if (values.parser !== undefined && values.parser !== parser.name) continue;
  parsersRun += 1;
  const { name, executions: done, accepted, slowestMs, finding } = await fuzz(parser, options);
  console.log(
    `${name.padEnd(34)} ${String(done).padStart(9)} inputs, ${String(accepted).padStart(8)} accepted, slowest ${slowestMs.toFixed(1)} ms`,
  );
  if (finding === undefined) continue;
  findings += 1;
  console.log(
    `  FOUND at round ${finding.round}: ${finding.why}\n  replay: --parser '${name}' --seed ${seed} --from ${finding.round} --executions 1`,
  );
}
console.log(`${parsersRun} parsers, ${findings} findings (seed ${seed})`);
process.exitCode = findings > 0 || parsersRun === 0 ? 1 : 0;
