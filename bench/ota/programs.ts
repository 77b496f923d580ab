/** Other people's programs: run at low priority, with a time limit, CPU and peak memory taken by `time`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Cost {
  /** User and system, of the program and what it waited for. */
  readonly cpuMs: number;
  readonly peakBytes: number;
}

export type Run = { readonly outcome: 'done'; readonly cost: Cost } | { readonly outcome: 'failed'; readonly why: string };

const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, LC_ALL: 'C' };
const maxOutputBytes = 64 * 1024 * 1024;

/** @param limitMs after which the program is killed; no answer is an answer too */
export const measure = (program: string, words: readonly string[], limitMs: number): Run => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-bench-'));
  const report = join(folder, 'time');
  try {
    const seconds = String(Math.ceil(limitMs / 1000));
    const timed = ['-n', '10', '/usr/bin/time', '-q', '-o', report, '-f', '%U %S %M', 'timeout', '-k', '5', seconds, program];
    const { status, stderr } = spawnSync('nice', [...timed, ...words], { env, encoding: 'utf8', maxBuffer: maxOutputBytes });
    if (status === 124 || status === 137) return { outcome: 'failed', why: `not done in ${seconds} s` };
    if (status !== 0) return { outcome: 'failed', why: `${program}: ${stderr.trim().split('\n').at(-1)}` };
    const [user = 0, system = 0, kibibytes = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
    return { outcome: 'done', cost: { cpuMs: (user + system) * 1000, peakBytes: kibibytes * 1024 } };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** @returns standard output. @throws where the program fails */
export const outputOf = (
  program: string,
  words: readonly string[],
  options: { readonly cwd?: string; readonly variables?: Readonly<Record<string, string>>; readonly input?: string } = {},
): string => {
  const { cwd, variables = {}, input } = options;
  const { status, stdout, stderr, error } = spawnSync('nice', ['-n', '10', program, ...words], {
    ...{ env: { ...env, ...variables }, encoding: 'utf8', maxBuffer: maxOutputBytes },
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
  });
  if (status !== 0) throw error ?? new Error(`${program} ${words.join(' ')}: ${stderr.trim()}`);
  return stdout;
};
