import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reporter, runTier } from './run-tier.ts';
import { type Report, summarize, type TierResult } from './summary.ts';
import { type Tier, tiers } from './tiers.ts';

const report = (...statuses: readonly string[]) => ({
  unhandled: [] as string[],
  testResults: [
    {
      name: 'a.test.ts',
      status: statuses.includes('failed') ? 'failed' : 'passed',
      message: '',
      assertionResults: statuses.map((status, index) => ({ status, fullName: `test ${index} ${status}`, failureMessages: [] })),
    },
  ],
});
const all = Object.keys(tiers) as Tier[];
const green = (...statuses: readonly string[]): TierResult[] =>
  all.map((tier) => ({ tier, hasFailed: false, report: report(...statuses) }));

describe('the end of a test run', () => {
  test('sums every tier; the last line is the sum', () => {
    const { lines, isGreen } = summarize(green('passed', 'passed'));
    expect(lines).toEqual([
      ...all.map((tier) => `${tier}: 2 passed, 0 failed, 0 skipped`),
      `${2 * all.length} passed, 0 failed, 0 skipped`,
    ]);
    expect(isGreen).toBe(true);
  });

  test('counts and names what was skipped, however it was skipped', () => {
    const { lines, isGreen } = summarize(green('passed', 'skipped', 'pending').slice(0, 1));
    expect(lines.slice(0, 2)).toEqual(['  skipped: test 1 skipped', '  skipped: test 2 pending']);
    expect(lines.at(-1)).toBe('1 passed, 0 failed, 2 skipped');
    expect(isGreen).toBe(true);
  });

  test('names each of a hundred skipped tests', () => {
    const { lines } = summarize(green('passed', ...Array<string>(100).fill('skipped')).slice(0, 1));
    expect(lines.filter((line) => line.startsWith('  skipped: '))).toHaveLength(100);
  });

  test('names the tiers that were not asked for', () => {
    expect(summarize(green('passed').slice(0, 1)).lines.filter((line) => line.includes('not run'))).toEqual([
      '  not run: parts (real parts: software TPMs, sockets); make test runs it',
      '  not run: day (whole days in real processes); make test runs it',
      '  not run: page (the page in Chromium); make test runs it',
      '  not run: warm (our image in QEMU, gone on with from a snapshot); make test runs it',
      '  not run: machine (our image booted in QEMU again and again); make test-full runs it',
    ]);
  });

  test('is red where a test failed, and names it', () => {
    const { lines, isGreen } = summarize([{ tier: 'unit', hasFailed: true, report: report('passed', 'failed') }]);
    expect(isGreen).toBe(false);
    expect(lines).toContain('  FAILED: test 1 failed');
    expect(lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped');
  });

  test('says in a line why a test failed', () => {
    const failed = {
      status: 'failed',
      fullName: 'a day',
      failureMessages: ['expected 1\n  to be 2'],
    };
    const broken = {
      unhandled: [],
      testResults: [{ name: 'a.test.ts', status: 'failed', message: '', assertionResults: [failed] }],
    };
    const { lines } = summarize([{ tier: 'unit', hasFailed: true, report: broken }]);
    expect(lines).toContain('  FAILED: a day: expected 1 to be 2');
  });

  test.each([
    [
      'a tier that ran no test',
      { hasFailed: false, report: { unhandled: [], testResults: [] } },
      'a tier that runs no test is red',
    ],
    ['a tier that skipped every test', { hasFailed: false, report: report('skipped') }, 'a tier that runs no test is red'],
    ['a runner that crashed', { hasFailed: true, report: undefined }, 'the runner left no report'],
    ['a runner that said nothing and was content', { hasFailed: false, report: undefined }, 'the runner left no report'],
    ['a report of another shape', { hasFailed: false, report: { tests: [] } }, 'the runner left no report'],
    ['an error outside of every test', { hasFailed: true, report: report('passed') }, 'the runner failed beside the tests'],
    [
      'a promise that nobody waited for',
      { hasFailed: true, report: { ...report('passed'), unhandled: ['lost\n  at sea'] } },
      'the runner failed beside the tests): lost at sea',
    ],
  ])('%s is red, also beside tiers that are green', (_, result, remark) => {
    const { lines, isGreen } = summarize([...green('passed').slice(1), { tier: 'unit', ...result }]);
    expect(isGreen).toBe(false);
    expect(lines.at(-2)).toMatch(/^unit: \d passed, 1 failed/);
    expect(lines.at(-2)).toContain(remark);
    expect(lines.at(-1)).toMatch(/, 1 failed, /);
  });

  test('a file that did not load is red, beside tests that failed', () => {
    const broken = { name: '/x/broken.test.ts', status: 'failed', message: 'no such module', assertionResults: [] };
    const { testResults } = report('passed', 'failed');
    const { lines } = summarize([
      { tier: 'unit', hasFailed: true, report: { unhandled: [], testResults: [...testResults, broken] } },
    ]);
    expect(lines).toContain('  FAILED: /x/broken.test.ts did not load or did not end: no such module');
    expect(lines.at(-1)).toBe('1 passed, 2 failed, 0 skipped');
  });

  test('no tier at all is red', () => {
    expect(summarize([]).isGreen).toBe(false);
  });
});

const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');

describe('one tier', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'enigm-tier-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (script: string) => {
    const path = join(folder, 'runner.cjs');
    writeFileSync(path, script);
    const reportPath = join(folder, 'report.json');
    rmSync(reportPath, { force: true });
    return runTier('unit', [process.execPath, path], folder, reportPath);
  };
  const writesReport = `require('node:fs').writeFileSync(process.argv.find((word) => word.startsWith('--outputFile')).split('=')[1], '{"testResults":[]}');`;

  test('gives what the runner reports', () => {
    expect(run(writesReport)).toEqual({ tier: 'unit', hasFailed: false, report: { testResults: [] } });
    expect(run(`${writesReport} process.exit(1);`)).toMatchObject({ hasFailed: true, report: { testResults: [] } });
  });

  test.each([
    ['ended early', 'process.exit(134);'],
    ['was killed', "process.kill(process.pid, 'SIGKILL');"],
    ['left half a report', `${writesReport.replace('[]}', '[')} process.exit(1);`],
  ])('has failed where the runner %s', (_, script) => {
    expect(run(script)).toEqual({ tier: 'unit', hasFailed: true, report: undefined });
  });

  test('vitest itself reports a hook that failed, and what it kept from running', () => {
    const path = join(folder, 'hook.test.ts');
    writeFileSync(
      path,
      `import { beforeAll, describe, test } from 'vitest';
       describe('a suite', () => {
         beforeAll(() => { throw new Error('no broker'); });
         test('waits', () => {});
       });
       test('passes', () => {});
       test('fails', () => { throw new Error('on purpose'); });
       void Promise.reject(new Error('nobody waited'));`,
    );
    symlinkSync(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'));
    const reportPath = join(folder, 'report.json');
    const options = [`--reporter=${reporter}`, `--outputFile.json=${reportPath}`];
    expect(spawnSync(process.execPath, [vitest, 'run', ...options], { cwd: folder }).status).toBe(1);
    const written = JSON.parse(readFileSync(reportPath, 'utf8')) as Report;
    expect(written.unhandled).toEqual(['nobody waited']);
    const { lines } = summarize([{ tier: 'unit', hasFailed: true, report: written }]);
    expect(lines).toContain('  skipped: a suite > waits');
    expect(lines).toContain('  FAILED: fails: on purpose');
    expect(lines).toContain(`  FAILED: ${path} did not load or did not end: hook of "a suite": no broker`);
    expect(lines.at(-1)).toBe('1 passed, 2 failed, 1 skipped');
  });

  test('the tiers are those of vitest.config.ts', () => {
    const config = readFileSync(join(import.meta.dirname, '../../vitest.config.ts'), 'utf8');
    expect([...config.matchAll(/^ {6}tier\('(\w+)'/gm)].map(([, name]) => name)).toEqual(all);
  });
});
