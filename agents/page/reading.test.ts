import { describe, expect, test } from 'vitest';
import { aged } from './reading.ts';
import { samplePosture, samples } from './testing.ts';

describe('a posture that grows old', () => {
  test('makes a finding stale at its limit and not before, and lets the level and headline fall with it', () => {
    const minute = 60_000;
    expect(aged(samples.good, minute)).toMatchObject({ level: 'strong', headline: 'as-expected' });
    const old = aged(samples.good, minute + 1);
    expect(old.findings.filter(({ result }) => result === 'stale').map(({ id }) => id)).toEqual(['programs']);
    expect(old).toMatchObject({ level: 'none', headline: 'at-risk' });
  });

  test('never makes anything better: a level that the device did not reach stays out of reach', () => {
    const capped = { ...samplePosture({ tpm: { value: 'software' } }), level: 'basic' } as const;
    for (const minutes of [0, 2, 10, 100]) expect(['basic', 'none']).toContain(aged(capped, minutes * 60_000).level);
  });

  test('leaves an unknown finding unknown, and one of a newer program alone', () => {
    const posture = samplePosture({ swap: { result: 'unknown' } });
    const newer = {
      ...posture,
      findings: [...posture.findings, { ...posture.findings[0], id: 'of-tomorrow' } as (typeof posture.findings)[0]],
    };
    const { findings } = aged(newer, 24 * 3_600_000);
    expect(findings.find(({ id }) => id === 'swap')).toMatchObject({ result: 'unknown', ageMs: 0 });
    expect(findings.find(({ id }) => id === 'of-tomorrow')).toMatchObject({ result: 'pass' });
  });
});
