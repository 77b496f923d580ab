/** One measured posture: findings, level, headline. */
import type { Posture } from '#protos/gen/types';
import { assess } from './findings.ts';
import { headlineOf, levelOf } from './level.ts';
import type { Observations } from './observations.ts';

export const postureOf = (observations: Observations, lifecycle: string, nowBootMs: number, nowMs: number): Posture => {
  const findings = assess(observations, nowBootMs);
  const level = levelOf(findings, observations.tpm?.value.tpmClass);
  return {
    level,
    headline: headlineOf(level, lifecycle, findings),
    lifecycle,
    measuredMs: Math.max(0, Math.floor(nowMs)),
    findings,
  };
};
