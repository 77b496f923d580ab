/** The headline: one level, a pure function of the findings and of who vouched for the TPM (SR-23). */
import type { TpmClass } from '#attestation/result';
import type { Finding, Level } from '#protos/gen/types';

export const levels: readonly Level[] = ['none', 'basic', 'device', 'strong'];

/** A software or virtual TPM proves nothing about hardware: never above `basic`. */
const caps: Readonly<Record<TpmClass, Level>> = { discrete: 'strong', firmware: 'strong', virtual: 'basic', software: 'basic' };

const counts = (finding: Finding): boolean => finding.result === 'pass' || finding.result === 'not-applicable';

/** The highest level all of whose findings, and those of every level below, hold. */
export const levelOf = (findings: readonly Finding[], tpmClass: TpmClass | undefined): Level => {
  let reached: Level = 'none';
  for (const level of levels.slice(1)) {
    const needed = findings.filter((finding) => finding.level === level);
    if (needed.length === 0 || !needed.every(counts)) break;
    reached = level;
  }
  const cap = tpmClass === undefined ? 'none' : caps[tpmClass];
  return levels.indexOf(reached) <= levels.indexOf(cap) ? reached : cap;
};

export type Headline = 'not-provisioned' | 'not-enrolled' | 'not-active' | 'at-risk' | 'reduced' | 'as-expected';

/** What the page says first; `as-expected` claims no more than that every finding of the reachable level holds. */
export const headlineOf = (level: Level, lifecycle: string, findings: readonly Finding[]): Headline => {
  if (lifecycle === 'unenrolled' || lifecycle === 'enrolling') return 'not-enrolled';
  if (lifecycle !== 'active') return 'not-active';
  if (level === 'none') return 'at-risk';
  return findings.every(counts) ? 'as-expected' : 'reduced';
};
