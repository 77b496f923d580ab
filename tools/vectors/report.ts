/** The two forms of the outcome: lines for people, one object for programs. */
import { type Counts, type FileReport, sum } from './run.ts';

/** `FILE: N passed, N failed, N skipped`, then the failures and the reasons for skipping, indented. */
export const fileLines = (report: FileReport): readonly string[] => [
  `${report.file}: ${countsOf(report)}${report.kind === undefined ? ' (not a kind this runner knows)' : ''}`,
  ...report.failures.map(({ test, backend, reason }) => `  failed ${test} of ${report.file} on ${backend}: ${reason}`),
  ...report.skips.map(({ reason, count }) => `  skipped ${count}: ${reason}`),
];

export const totalLine = (reports: readonly FileReport[]): string => `total: ${countsOf(sum(reports))}`;

export const jsonReport = (reports: readonly FileReport[]): string =>
  JSON.stringify({ files: reports.map((report) => ({ ...report, kind: report.kind ?? null })), total: sum(reports) }, null, 2);

const countsOf = ({ passed, failed, skipped }: Counts): string => `${passed} passed, ${failed} failed, ${skipped} skipped`;
