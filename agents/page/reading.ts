/** What the page knows about the device: the last measurement and when it came, or why there is none. */
import { findingKinds } from '#agents/posture/findings';
import { headlineOf, levelOf, levels } from '#agents/posture/level';
import type { Finding, Posture } from '#protos/gen/types';

export type Reading = Measured | Down;

export interface Measured {
  readonly kind: 'measured';
  readonly posture: Posture;
  /** A slug of the catalogue. */
  readonly nextStep: string;
  /** Our boot clock when it came. */
  readonly atBootMs: number;
}

export interface Down {
  readonly kind: 'down';
  /** `category/reason`: why nothing is known. */
  readonly code: string;
}

/**
 * A posture as it stands `elapsedMs` after it came: every age grows, and what is too old by the rule of its finding is
 * `stale`, whatever it said. So a mind that hangs cannot leave a good state standing on the screen.
 *
 * The level only ever falls here, because nothing new was measured.
 */
export const aged = (posture: Posture, elapsedMs: number): Posture => {
  const findings = posture.findings.map((finding) => agedFinding(finding, elapsedMs));
  if (findings.every(({ result }, index) => result === posture.findings[index]?.result)) return { ...posture, findings };
  const reachable = levelOf(findings, 'discrete');
  const level = levels.indexOf(reachable) < levels.indexOf(posture.level) ? reachable : posture.level;
  return { ...posture, findings, level, headline: headlineOf(level, posture.lifecycle, findings) };
};

const agedFinding = (finding: Finding, elapsedMs: number): Finding => {
  if (finding.result === 'unknown') return finding;
  const ageMs = finding.ageMs + elapsedMs;
  const maxAgeMs = findingKinds.find(({ id }) => id === finding.id)?.maxAgeMs ?? Number.POSITIVE_INFINITY;
  return { ...finding, ageMs, result: ageMs > maxAgeMs ? 'stale' : finding.result };
};

/** Every finding there is, none of them known. */
export const unknownFindings: readonly Finding[] = findingKinds.map(({ id, level }) => ({
  id,
  level,
  result: 'unknown',
  ageMs: 0,
  items: [],
}));

export const holds = ({ result }: Finding): boolean => result === 'pass' || result === 'not-applicable';
