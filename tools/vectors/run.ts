/** Run one vector file: find its kind, run every test on both back ends, count. */
import { causeOf } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { nobleCrypto } from '#hal/crypto/noble';
import { nodeCrypto } from '#hal/crypto/node';
import { failed, type Kind, type Outcome, type Test } from './kind.ts';
import { kinds } from './registry.ts';

const backends: readonly CryptoBackend[] = [nodeCrypto, nobleCrypto];

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export interface FileReport extends Counts {
  readonly file: string;
  /** undefined for a file that no kind recognises */
  readonly kind: string | undefined;
  readonly skips: { readonly reason: string; count: number }[];
  readonly failures: { readonly test: string; readonly backend: string; readonly reason: string }[];
}

export const runFile = (file: string, content: unknown): FileReport => {
  const kind = kinds.find((candidate) => candidate.recognises(content));
  const report: FileReport = { file, kind: kind?.name, passed: 0, failed: 0, skipped: 0, skips: [], failures: [] };
  if (kind === undefined) return report;
  const tests = readTests(kind, content);
  for (const backend of backends) for (const test of tests) count(report, test.name, backend.name, runTest(test, backend));
  return report;
};

/** A file that cannot be read as its kind, or holds nothing, is one failing test: it must not pass by being empty. */
const readTests = (kind: Kind, content: unknown): readonly Test[] => {
  try {
    const tests = kind.tests(content);
    return tests.length > 0 ? tests : [unreadable('it holds no test')];
  } catch (error) {
    return [unreadable(causeOf(error))];
  }
};

const unreadable = (why: string): Test => ({ name: 'the file', run: () => failed(why) });

const runTest = (test: Test, backend: CryptoBackend): Outcome => {
  try {
    return test.run(backend);
  } catch (error) {
    return failed(causeOf(error));
  }
};

const count = (report: FileReport, test: string, backend: string, outcome: Outcome): void => {
  report[outcome.is]++;
  if (outcome.is === 'failed') report.failures.push({ test, backend, reason: outcome.reason });
  if (outcome.is === 'skipped') {
    const known = report.skips.find(({ reason }) => reason === outcome.reason);
    if (known === undefined) report.skips.push({ reason: outcome.reason, count: 1 });
    else known.count++;
  }
};

export const sum = (reports: readonly Counts[]): Counts => {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of reports) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
};
