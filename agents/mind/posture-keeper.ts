/** Measures, holds what was measured, tells watchers and the audit log what changed. */

import { postureOf } from '#agents/posture/posture';
import type { Finding, Posture } from '#protos/gen/types';
import { type MeasureParts, measure } from './measure.ts';
import type { MindParts } from './parts.ts';

export interface PostureKeeper {
  /** Measures now; calls that come meanwhile share the measurement. */
  refresh(): Promise<Posture>;
}

type Parts = Pick<MindParts, 'clock' | 'hands' | 'audit' | 'trust' | 'time' | 'state' | 'watchers'> &
  Pick<MeasureParts, 'link' | 'programs' | 'agents'>;

export const postureKeeper = (parts: Parts): PostureKeeper => {
  const { clock, audit, trust, time, state, watchers } = parts;
  const lifecycle = () => state.current().lifecycle;
  let running: Promise<Posture> | undefined;

  const measureOnce = async (): Promise<Posture> => {
    const changesSeen = trust.changes();
    const observations = await measure({ ...parts, lifecycle });
    const before = trust.posture();
    const posture = postureOf(observations, lifecycle(), clock.bootMs(), time.nowMs() ?? clock.nowMs());
    const programs = observations.programs ?? { value: [], measuredBootMs: 0 };
    const areHealthy = programs.value.length > 0 && programs.value.every(({ isRunning }) => isRunning);
    trust.holdPosture(posture, { value: areHealthy, measuredBootMs: programs.measuredBootMs }, changesSeen);
    if (before?.level !== posture.level) await audit.record({ event: 'posture.level', outcome: 'done', resource: posture.level });
    for (const { id, result } of changed(before, posture))
      await audit.record({
        event: 'posture.finding',
        outcome: result === 'pass' ? 'done' : 'failed',
        resource: id,
        action: result,
      });
    watchers.notify();
    return posture;
  };

  return {
    refresh() {
      running ??= measureOnce().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
};

const changed = (before: Posture | undefined, after: Posture): readonly Finding[] =>
  after.findings.filter(
    ({ id, result }) => before !== undefined && before.findings.find((finding) => finding.id === id)?.result !== result,
  );
