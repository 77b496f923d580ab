/** For tests: postures as a mind would send them. */
import { findingKinds } from '#agents/posture/findings';
import { headlineOf, levelOf } from '#agents/posture/level';
import type { Finding, Posture } from '#protos/gen/types';

const values: Readonly<Record<string, string>> = {
  tpm: 'discrete',
  'boot-log': 'replays',
  attestation: 'affirming',
  clock: 'wall-clock-agrees',
  'audit-log': 'intact',
  lifecycle: 'active',
  'secure-boot': 'on',
  'hardware-tpm': 'discrete',
  'kernel-lockdown': 'integrity',
  'kernel-taint': '0',
  'listening-sockets': '0-reachable',
  'ptrace-scope': '1',
  'inference-engine': 'plain',
};

export type Overrides = Readonly<Record<string, Partial<Finding>>>;

/** Every finding holds, save what `overrides` say. */
export const samplePosture = (overrides: Overrides = {}, more: Partial<Posture> = {}): Posture => {
  const findings = findingKinds.map(({ id, level }): Finding => {
    const value = overrides[id]?.result === 'unknown' ? undefined : values[id];
    return { id, level, result: 'pass', ageMs: 0, items: [], ...(value === undefined ? {} : { value }), ...overrides[id] };
  });
  const level = levelOf(findings, overrides['tpm']?.value === 'software' ? 'software' : 'discrete');
  const lifecycle = more.lifecycle ?? 'active';
  return {
    level,
    headline: headlineOf(level, lifecycle, findings),
    lifecycle,
    measuredMs: Date.UTC(2026, 0, 1),
    findings,
    ...more,
  };
};

export const samples = {
  good: samplePosture(),
  reduced: samplePosture({
    'listening-sockets': { result: 'fail', value: '2-reachable', items: ['tcp/0.0.0.0:22', 'udp/[::]:5353'] },
    'kernel-taint': { result: 'fail', value: '4096' },
    'inference-engine': { result: 'unknown' },
    swap: { result: 'not-applicable' },
  }),
  atRisk: samplePosture({
    tpm: { value: 'software' },
    'hardware-tpm': { result: 'fail', value: 'software' },
    'boot-log': { result: 'fail', value: 'attestation/log-replay', ageMs: 12_000 },
    attestation: { result: 'stale', value: 'affirming', ageMs: 2 * 3_600_000 },
    programs: { result: 'fail', items: ['link'], ageMs: 3_000 },
    'audit-log': { result: 'fail', value: 'degraded' },
    'listening-sockets': { result: 'fail', value: '1-reachable', items: ['tcp/0.0.0.0:22'] },
    'core-dumps': { result: 'unknown' },
  }),
  suspended: samplePosture({ lifecycle: { result: 'fail', value: 'suspended' } }, { lifecycle: 'suspended' }),
} as const;
