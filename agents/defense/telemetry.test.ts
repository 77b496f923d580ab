import { describe, expect, test } from 'vitest';
import { messages } from '#protos/gen/fields';
import type { Assessment } from './assessment.ts';
import { telemetryOf } from './telemetry.ts';

const assessment: Assessment = {
  category: 'spyware-like',
  band: 'fair',
  score: 93,
  guidance: 'remove-app-and-change-secrets',
  app: 'the-app-of-a-person',
  opinion: 'agrees',
  model: new Uint8Array(32).fill(7),
};

describe('what leaves the device', () => {
  test('category, band and model; the message has no field for anything else', () => {
    expect(messages['RiskTelemetry']).toEqual({
      category: { number: 1, type: 'RiskCategory' },
      band: { number: 2, type: 'RiskBand' },
      model: { number: 3, type: 'bytes', kind: 'digest' },
    });
    const { category, band, model } = assessment;
    expect(telemetryOf(assessment, true)).toEqual({ category, band, model });
  });

  test('two judgements that differ in anything else are the same message', () => {
    const other = { ...assessment, score: 81, app: 'another-app', opinion: 'differs', guidance: 'nothing' } as const;
    expect(telemetryOf(other, true)).toEqual(telemetryOf(assessment, true));
    const smuggled = { ...assessment, app: 'canary', path: '/canary' };
    expect(JSON.stringify(telemetryOf(smuggled, true))).not.toContain('canary');
  });

  test('nothing where policy does not approve, or nothing was judged', () => {
    expect(telemetryOf(assessment, false)).toBeUndefined();
    expect(telemetryOf(undefined, true)).toBeUndefined();
  });
});
