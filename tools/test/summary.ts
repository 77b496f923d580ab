/** Sums the reports of the tiers into the lines that end a test run. */

export interface TierResult {
  readonly tier: string;
  /** The runner itself said that something failed. */
  readonly hasFailed: boolean;
  /** vitest's JSON report; undefined where there is none. */
  readonly report: unknown;
}

interface Report {
  readonly testResults: readonly { readonly name: string; readonly assertionResults: readonly Assertion[] }[];
}
interface Assertion {
  readonly status: string;
  readonly fullName: string;
}

export interface Summary {
  /** Names of what was skipped, a line a tier, and the closing line. */
  readonly lines: readonly string[];
  readonly isGreen: boolean;
}

const maxSkippedNames = 40;

export const summarize = (results: readonly TierResult[]): Summary => {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const lines: string[] = [];
  const skippedNames: string[] = [];
  for (const { tier, hasFailed, report } of results) {
    const assertions = isReport(report) ? report.testResults.flatMap(({ assertionResults }) => assertionResults) : [];
    const count = (...statuses: readonly string[]) => assertions.filter(({ status }) => statuses.includes(status)).length;
    const passed = count('passed');
    const skipped = count('skipped', 'pending', 'todo', 'disabled');
    // A tier that ran nothing, or whose files did not load, counts as a failure of its own.
    const failed = Math.max(count('failed'), hasFailed || passed === 0 ? 1 : 0);
    skippedNames.push(
      ...assertions
        .filter(({ status }) => status === 'skipped' || status === 'pending')
        .map(({ fullName }) => `  skipped: ${fullName}`),
    );
    lines.push(
      `${tier}: ${passed} passed, ${failed} failed, ${skipped} skipped${passed === 0 ? ' (a tier that runs no test is red)' : ''}`,
    );
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  const hidden = skippedNames.length - maxSkippedNames;
  const shown = [...skippedNames.slice(0, maxSkippedNames), ...(hidden > 0 ? [`  and ${hidden} more`] : [])];
  return {
    lines: [...shown, ...lines, `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`],
    isGreen: total.failed === 0,
  };
};

const isReport = (report: unknown): report is Report =>
  typeof report === 'object' && report !== null && Array.isArray((report as { readonly testResults?: unknown }).testResults);
