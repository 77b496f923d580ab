import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMessage } from '#hal/core/message';
import { unwrap } from '#hal/core/result';
import { windowLimits } from '#hal/ports/signals';
import type { DetectionModel } from '#protos/gen/types';
import { bucketCount } from './grams.ts';
import { encodeModel, processor, testModel } from './model.fixture.ts';
import { conductCategories, modelLimits, openModel } from './model.ts';
import { judgeWindow } from './score.ts';

const buckets = fc
  .uniqueArray(fc.integer({ min: 0, max: bucketCount - 1 }), { maxLength: 60 })
  .map((all) => all.toSorted((a, b) => a - b));
const weight = fc.integer({ min: 1, max: modelLimits.weight });
const threshold = fc.integer({ min: 1, max: modelLimits.threshold });
const models: fc.Arbitrary<Partial<DetectionModel>> = fc.record({
  version: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  known: buckets,
  unusualWeight: weight,
  unusualThreshold: threshold,
  driftAllowance: threshold,
  driftLimit: threshold,
  conducts: fc.subarray([...conductCategories]).chain((categories) =>
    fc.tuple(
      ...categories.map((category) =>
        buckets.chain((own) =>
          fc.record({
            category: fc.constant(category),
            threshold,
            buckets: fc.constant(own),
            weights: fc.array(weight, { minLength: own.length, maxLength: own.length }),
          }),
        ),
      ),
    ),
  ),
});
const call = fc.integer({ min: 0, max: windowLimits.callNumber - 1 });
const calls = fc.array(call, { minLength: 1, maxLength: windowLimits.calls });

describe('the codec and the arithmetic of models', () => {
  test('every model within its limits opens, and says again what was put in', () => {
    fc.assert(
      fc.property(models, (changed) => {
        const payload = encodeModel(changed);
        const model = unwrap(openModel(payload, processor));
        expect(model.version).toBe(changed.version);
        const { conducts } = unwrap(decodeMessage('DetectionModel', payload));
        expect(model.outputs).toEqual(['suspicious', ...conducts.map(({ category }) => category)]);
        for (const value of [...model.weights, ...model.thresholds]) expect(value).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 15 },
    );
  });

  test('no bytes make it throw', () => {
    const payload = encodeModel();
    const flipped = fc.array(fc.tuple(fc.nat(payload.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          flipped.map((changes) => {
            const bytes = payload.slice();
            for (const [place, value] of changes) bytes[place] = value;
            return bytes;
          }),
        ),
        (bytes) => {
          const opened = openModel(bytes, processor);
          if (opened.ok) expect(judgeWindow(opened.value, [1, 2, 3]).score).toBeLessThanOrEqual(100);
          else expect(['protocol', 'intelligence', 'unavailable']).toContain(opened.fault.category);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('calls before and after a window never lower a score: padding gains nothing', () => {
    fc.assert(
      fc.property(calls, calls, calls, (before, window, after) => {
        const bare = judgeWindow(testModel, window).scores;
        const padded = judgeWindow(testModel, [...before, ...window, ...after]).scores;
        for (const [output, score] of padded.entries()) expect(score).toBeGreaterThanOrEqual(bare[output] ?? 0);
      }),
    );
  });

  test('a score is a number from 0 to 100, of any calls', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: windowLimits.calls }), (window) => {
        for (const score of judgeWindow(testModel, window).scores) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(100);
        }
      }),
    );
  });
});
