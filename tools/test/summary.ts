/** Sums the reports of the tiers into the lines that end a test run. */
import { type Tier, tiers } from './tiers.ts';

export interface TierResult {
  readonly tier: Tier;
  /** The runner itself said that something failed, or did not end by itself. */
  readonly hasFailed: boolean;
  /** What `reporter.ts` wrote, a `Report`; undefined where there is nothing. */
  readonly report: unknown;
}

export interface Summary {
  /** Names of what was skipped and of what failed, which tiers were not asked for, a line a tier, the closing line. */
  readonly lines: readonly string[];
  readonly isGreen: boolean;
}

export interface Report {
  readonly testResults: readonly FileResult[];
  /** Messages of errors that no test waited for. */
  readonly unhandled: readonly string[];
}
export interface FileResult {
  readonly name: string;
  readonly status: string;
  /** What failed outside of its tests. */
  readonly message: string;
  readonly assertionResults: readonly Assertion[];
}
interface Assertion {
  readonly status: string;
  readonly fullName: string;
  readonly failureMessages: readonly string[];
}

interface Count {
  readonly passed: number;
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  /** Why the tier is red beyond the tests that failed. */
  readonly remark: string;
}

export const summarize = (results: readonly TierResult[]): Summary => {
  const counted = results.map((result) => ({ tier: result.tier, ...countOf(result) }));
  const named = (word: string, names: readonly string[]) => names.map((name) => `  ${word}: ${name}`);
  const sum = (of: (count: Count) => number) => counted.reduce((total, count) => total + of(count), 0);
  const line = (passed: number, failed: number, skipped: number) => `${passed} passed, ${failed} failed, ${skipped} skipped`;
  const left = Object.entries(tiers).filter(([tier]) => !results.some((result) => result.tier === tier));
  const failed = sum((count) => count.failed.length);
  return {
    lines: [
      ...counted.flatMap((count) => named('skipped', count.skipped)),
      ...counted.flatMap((count) => named('FAILED', count.failed)),
      ...left.map(([tier, { needs, runner }]) => `  not run: ${tier} (${needs}); ${runner} runs it`),
      ...counted.map((count) => `${count.tier}: ${line(count.passed, count.failed.length, count.skipped.length)}${count.remark}`),
      line(
        sum((count) => count.passed),
        failed,
        sum((count) => count.skipped.length),
      ),
    ],
    isGreen: results.length > 0 && failed === 0,
  };
};

const countOf = ({ tier, hasFailed, report }: TierResult): Count => {
  const files = isReport(report) ? report.testResults : [];
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const among = (...statuses: readonly string[]) => tests.filter(({ status }) => statuses.includes(status));
  const passed = among('passed').length;
  const failed = [
    ...among('failed').map(({ fullName, failureMessages }) => withReason(fullName, failureMessages[0])),
    // A file that did not load has no tests that could fail, and a hook that failed is none.
    ...files
      .filter((file) => file.message !== '' || (file.status === 'failed' && !file.assertionResults.some(hasTestFailed)))
      .map(({ name, message }) => withReason(`${name} did not load or did not end`, message)),
  ];
  const remark = remarkOf(passed, failed.length, hasFailed, report);
  return {
    passed,
    failed: failed.length === 0 && remark !== '' ? [`${tier}${remark}`] : failed,
    skipped: among('skipped', 'pending').map(({ fullName }) => fullName),
    remark,
  };
};

const hasTestFailed = ({ status }: Assertion): boolean => status === 'failed';

const maxReasonLength = 400;
/** Whoever reads only the end of a log learns why. */
const withReason = (name: string, message = ''): string => {
  const reason = message.replaceAll(/\s+/g, ' ').slice(0, maxReasonLength);
  return reason === '' ? name : `${name}: ${reason}`;
};

const remarkOf = (passed: number, failed: number, hasFailed: boolean, report: unknown): string => {
  if (!isReport(report)) return ' (the runner left no report)';
  if (passed === 0) return ' (a tier that runs no test is red)';
  return hasFailed && failed === 0 ? withReason(' (the runner failed beside the tests)', report.unhandled[0]) : '';
};

const isReport = (report: unknown): report is Report =>
  typeof report === 'object' &&
  report !== null &&
  ['testResults', 'unhandled'].every((name) => Array.isArray((report as Readonly<Record<string, unknown>>)[name]));
