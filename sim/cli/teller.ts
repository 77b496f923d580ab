/** The story of the day on standard output, for people or one JSON object a step. */
import { codeOf } from '#hal/core/result';
import type { Sabotage } from '#sim/scenarios/sabotage';
import type { Scenario, StepResult } from '#sim/scenarios/scenario';
import type { DaySummary } from './summary.ts';

export interface Teller {
  begins(scenario: Scenario): void;
  ends(scenario: Scenario, result: StepResult, ms: number): void;
  sums(summary: DaySummary, sabotage: Named | undefined): void;
  says(line: string): void;
}

export interface Named extends Sabotage {
  readonly name: string;
}

type Write = (text: string) => void;

const outcomeOf = ({ fault }: StepResult) => (fault === undefined ? 'ok' : 'refused');

export const jsonTeller = (write: Write): Teller => {
  const line = (value: unknown) => write(`${JSON.stringify(value)}\n`);
  return {
    begins: () => undefined,
    ends: ({ step }, result, ms) =>
      line({
        step,
        outcome: outcomeOf(result),
        evidence: result.evidence,
        ms: Math.round(ms),
        ...(result.fault === undefined ? {} : { fault: { category: result.fault.category, reason: result.fault.reason } }),
      }),
    sums: (summary, sabotage) =>
      line({
        summary: {
          outcome: summary.fault === undefined && summary.isAsExpected ? 'ok' : 'refused',
          steps: summary.steps,
          ms: Math.round(summary.ms),
          auditRecords: summary.auditRecords,
          ...(summary.refusedAt === undefined ? {} : { refusedAt: summary.refusedAt }),
          ...(summary.fault === undefined ? {} : { fault: { category: summary.fault.category, reason: summary.fault.reason } }),
          ...(sabotage === undefined
            ? {}
            : {
                break: sabotage.name,
                expected: { step: sabotage.step, code: sabotage.code },
                isAsExpected: summary.isAsExpected,
              }),
        },
      }),
    says: () => undefined,
  };
};

export const storyTeller = (write: Write, isColoured: boolean): Teller => {
  const paint = (code: number, text: string) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`.padStart(7);
  return {
    begins: ({ step, title }) => write(`\n${paint(1, step)}: ${title}\n`),
    ends: (_, result, ms) => {
      const { fault } = result;
      const mark = fault === undefined ? paint(32, 'ok     ') : paint(31, 'REFUSED');
      write(
        `  ${mark} ${seconds(ms)}${fault === undefined ? '' : `  ${paint(31, codeOf(fault))}${fault.detail === undefined ? '' : `  (${fault.detail})`}`}\n`,
      );
      for (const [name, value] of Object.entries(result.evidence)) write(`            ${paint(2, name.padEnd(26))} ${value}\n`);
    },
    sums: (summary, sabotage) => {
      const { fault, refusedAt } = summary;
      const code = fault === undefined ? '' : codeOf(fault);
      const end = fault === undefined ? 'every step ended as it should' : `refused at ${refusedAt} with ${code}`;
      write(
        `\n${paint(1, 'day')}: ${summary.steps} steps in ${(summary.ms / 1000).toFixed(1)} s, ${end}; ${summary.auditRecords} audit records\n`,
      );
      if (sabotage === undefined) return;
      const verdict = summary.isAsExpected
        ? paint(32, 'refused as it must be')
        : paint(31, `NOT refused as it must be: expected ${sabotage.code} at ${sabotage.step}`);
      write(`sabotage ${sabotage.name} (${sabotage.what}): ${verdict}\n`);
    },
    says: (line) => write(`${line}\n`),
  };
};
