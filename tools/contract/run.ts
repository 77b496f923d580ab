/** Contracts over a module that somebody else wrote. */
import { BrokenClause } from '#hal/contract/clause';
import { causeOf } from '#hal/core/result';
import type { ContractPort } from './ports.ts';

export interface PortReport {
  readonly port: string;
  readonly clauses: readonly ClauseReport[];
}

export interface ClauseReport {
  readonly says: string;
  /** What was seen and what has to be seen instead; undefined where the clause holds. */
  readonly broken?: string;
}

/** @param module what it exports. @param timeoutMs for each clause: restarts of a real machine take their time */
export const runContracts = async (
  module: Readonly<Record<string, unknown>>,
  ports: readonly ContractPort[],
  timeoutMs: number,
): Promise<readonly PortReport[]> => {
  const reports: PortReport[] = [];
  for (const { name, exported, clauses } of ports) {
    const start = module[exported];
    if (start === undefined) continue;
    const held: ClauseReport[] = [];
    for (const { says, check } of clauses) {
      const broken = await brokenBy(exported, start, check, timeoutMs);
      held.push(broken === undefined ? { says } : { says, broken });
    }
    reports.push({ port: name, clauses: held });
  }
  return reports;
};

const brokenBy = async (
  exported: string,
  start: unknown,
  check: (start: () => Promise<unknown>) => Promise<void>,
  timeoutMs: number,
): Promise<string | undefined> => {
  if (typeof start !== 'function') return `the export ${exported} is no function; it has to be one, without parameters`;
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve(`no answer within ${timeoutMs / 1000} s; every call has to end`), timeoutMs);
  const checked = check(async () => start()).then(
    () => undefined,
    (error: unknown) =>
      error instanceof BrokenClause
        ? error.message
        : `it threw "${causeOf(error)}"; a refusal has to be a value, { ok: false, fault: { category, reason } }`,
  );
  const broken = await Promise.race([checked, late.promise]);
  clearTimeout(timer);
  return broken;
};
