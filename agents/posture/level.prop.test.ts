import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import type { Level, Posture } from '#protos/gen/types';
import { assess } from './findings.ts';
import { levels } from './level.ts';
import { anyObservations, nowBootMs } from './observations.fixture.ts';
import type { Observations } from './observations.ts';
import { postureOf } from './posture.ts';

const posture = (observations: Observations, atBootMs = nowBootMs): Posture => postureOf(observations, 'active', atBootMs, 0);
const rank = (observations: Observations, atBootMs = nowBootMs): number =>
  levels.indexOf(posture(observations, atBootMs).level as Level);
const runs = { numRuns: 1_000 };

test('what is unknown, stale or failed never counts as a pass: no level above it is reached', () => {
  fc.assert(
    fc.property(anyObservations, (observations) => {
      const { findings } = posture(observations);
      const reached = rank(observations);
      for (const { level, result } of findings)
        if (result !== 'pass' && result !== 'not-applicable') expect(reached).toBeLessThan(levels.indexOf(level));
    }),
    runs,
  );
});

test('the sample reaches every level, so that these properties say something', () => {
  const reached = fc.sample(anyObservations, { numRuns: 2_000, seed: 1 }).map((one) => rank(one));
  for (const level of [0, 1, 2, 3]) expect(reached.filter((one) => one === level).length).toBeGreaterThan(40);
});

test('removing an observation never raises the level, nor makes a finding pass', () => {
  fc.assert(
    fc.property(anyObservations, fc.nat(), (observations, pick) => {
      const names = Object.keys(observations) as (keyof Observations)[];
      const gone = names[pick % Math.max(1, names.length)];
      const fewer = Object.fromEntries(Object.entries(observations).filter(([name]) => name !== gone)) as Observations;
      expect(rank(fewer)).toBeLessThanOrEqual(rank(observations));
      const before = new Map(assess(observations, nowBootMs).map(({ id, result }) => [id, result]));
      for (const { id, result } of assess(fewer, nowBootMs)) if (result !== before.get(id)) expect(result).toBe('unknown');
    }),
    runs,
  );
});

test('removing one fact of the platform never raises the level', () => {
  fc.assert(
    fc.property(anyObservations, fc.nat(), (observations, pick) => {
      const { platform } = observations;
      if (platform === undefined) return;
      const facts = Object.keys(platform.value);
      const gone = facts[pick % Math.max(1, facts.length)];
      const value = Object.fromEntries(Object.entries(platform.value).filter(([name]) => name !== gone));
      expect(rank({ ...observations, platform: { ...platform, value } })).toBeLessThanOrEqual(rank(observations));
    }),
    runs,
  );
});

test('time alone never raises the level', () => {
  fc.assert(
    fc.property(anyObservations, fc.nat(3_600_000), (observations, laterMs) => {
      expect(rank(observations, nowBootMs + laterMs)).toBeLessThanOrEqual(rank(observations));
    }),
    runs,
  );
});

test('a software or virtual TPM never carries more than basic (SR-23)', () => {
  fc.assert(
    fc.property(anyObservations, fc.constantFrom('software' as const, 'virtual' as const), (observations, tpmClass) => {
      expect(rank({ ...observations, tpm: { value: { tpmClass }, measuredBootMs: nowBootMs } })).toBeLessThanOrEqual(1);
    }),
    runs,
  );
});

test('any posture fits the message that carries it', () => {
  fc.assert(
    fc.property(anyObservations, (observations) => {
      const measured = posture(observations);
      expect(decodeMessage('Posture', encodeMessage('Posture', measured))).toEqual({ ok: true, value: measured });
    }),
    runs,
  );
});
