import { describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import type { DetectionModel } from '#protos/gen/types';
import { bucketCount } from './grams.ts';
import { encodeModel, plainModel, processor } from './model.fixture.ts';
import { modelLimits, openModel, unitsPerOne } from './model.ts';

const refusal = (payload: Uint8Array, on = processor): string => {
  const opened = openModel(payload, on);
  return opened.ok ? 'opened' : codeOf(opened.fault);
};
const [first] = plainModel.conducts;
const conduct = (changed: Partial<NonNullable<typeof first>>): DetectionModel['conducts'] => [
  { ...(first as NonNullable<typeof first>), ...changed },
];

describe('a detection model', () => {
  test('opens as the tables that it says', () => {
    const model = unwrap(openModel(encodeModel(), processor));
    expect(model.outputs).toEqual(['suspicious', 'malware-like', 'spyware-like', 'tamper']);
    expect(model.weights).toHaveLength(bucketCount * 4);
    expect(model.isKnown.reduce((sum, bit) => sum + bit, 0)).toBe(plainModel.known.length);
    const [bucket = 0] = first?.buckets ?? [];
    expect(model.weights[bucket * 4 + 1]).toBe(4);
    expect(model.drift).toEqual({ allowance: 0.5, limit: 24 });
  });

  test.each<[string, Partial<DetectionModel>]>([
    ['a version of nothing', { version: 0 }],
    ['buckets that are not there', { known: [bucketCount] }],
    ['buckets out of order', { known: [2, 1] }],
    ['a bucket twice', { known: [1, 1] }],
    ['no weight for what is unusual', { unusualWeight: 0 }],
    ['a weight that floats cannot add up exactly', { unusualWeight: modelLimits.weight + 1 }],
    ['a threshold that nothing reaches', { unusualThreshold: modelLimits.threshold + 1 }],
    ['a drift that never ends', { driftLimit: 0 }],
    ['a drift that allows nothing', { driftAllowance: 0 }],
    ['a conduct that is none', { conducts: conduct({ category: 'low' }) }],
    ['a conduct twice', { conducts: [...conduct({}), ...conduct({})] }],
    ['weights without buckets', { conducts: conduct({ weights: [unitsPerOne, unitsPerOne] }) }],
    ['a conduct that everything is', { conducts: conduct({ threshold: 0 }) }],
    ['a weight of nothing', { conducts: conduct({ weights: [0] }) }],
  ])('is refused with %s', (_, changed) => {
    expect(refusal(encodeModel(changed))).toBe('intelligence/model-invalid');
  });

  test('is refused where it is too large, before it is read', () => {
    expect(refusal(new Uint8Array(modelLimits.payloadBytes + 1))).toBe('intelligence/model-invalid');
  });

  test('is no model on a processor whose calls have other numbers', () => {
    expect(refusal(encodeModel(), 'arm64')).toBe('unavailable/not-supported');
  });
});
