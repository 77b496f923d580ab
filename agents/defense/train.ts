/**
 * How a model is made; no device does this. Deterministic: the same corpus gives the same bytes.
 *
 * Being unusual needs no example: what the ordinary windows never did. Each conduct is fitted by logistic regression
 * with weights that cannot fall below zero, over those n-grams alone that the ordinary windows do not have, so that
 * nothing that an ordinary program does speaks against it. What the corpus cannot tell apart makes no model.
 */
import { createHash } from 'node:crypto';
import { u32be } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { deny, ok, type Result, unwrap } from '#hal/core/result';
import type { ConductWeights, RiskCategory } from '#protos/gen/types';
import { bucketsOf } from './grams.ts';
import { conductCategories, openModel, unitsPerOne } from './model.ts';
import { judgeWindow } from './score.ts';

/** One recorded program. */
export interface Run {
  readonly name: string;
  readonly conduct: 'ordinary' | RiskCategory;
  /** Runs of a variant are either learned from or tried on, never both. */
  readonly variant: number;
  readonly windows: readonly (readonly number[])[];
}

export interface Training {
  readonly version: number;
  readonly processor: string;
  /** Every fifth variant is kept back. */
  readonly runs: readonly Run[];
}

const steps = 400;
const rate = 2;
const decay = 0.0002;
/** In log odds: no single n-gram names a conduct. */
const heaviest = 1.5;
/** Unknown n-grams at which a window is as likely suspicious as not, at least. */
const leastUnusual = 12;

export const isHeldBack = ({ variant }: Run): boolean => variant % 5 === 4;

/** @returns the payload of a model, or `intelligence/baseline-refused` where an ordinary run does not look ordinary */
export const train = ({ version, processor, runs }: Training): Result<Uint8Array> => {
  const learned = runs.filter((run) => !isHeldBack(run));
  const tried = runs.filter(isHeldBack);
  const ordinary = learned.filter(({ conduct }) => conduct === 'ordinary').flatMap(({ windows }) => windows);
  if (ordinary.length === 0) return deny('intelligence', 'baseline-refused', 'no ordinary windows');
  const known = new Set(ordinary.flatMap((calls) => [...bucketsOf(calls)]));
  const unknownOf = (calls: readonly number[]) => [...bucketsOf(calls)].filter((bucket) => !known.has(bucket));
  const unfamiliar = tried
    .filter(({ conduct }) => conduct === 'ordinary')
    .flatMap(({ windows }) => windows.map((calls) => unknownOf(calls).length));
  const suspiciousAt = Math.max(leastUnusual, 4 * Math.max(0, ...unfamiliar));
  // Low from a third of that on: log odds of 0.2 there, 0 at the whole.
  const unusualWeight = Math.round((Math.log(4) / ((suspiciousAt * 2) / 3)) * unitsPerOne);
  const mean = unfamiliar.reduce((sum, count) => sum + count, 0) / Math.max(1, unfamiliar.length);

  const examples: readonly Example[] = learned.flatMap(({ conduct, windows }) =>
    windows
      .map((calls) => ({ conduct, buckets: unknownOf(calls) }))
      // A window of an attack in which everything is ordinary, as at its start, is an example of nothing.
      .filter(({ buckets }) => conduct === 'ordinary' || buckets.length > 0),
  );
  const payload = encodeMessage('DetectionModel', {
    version,
    processor,
    baseline: baselineDigest(ordinary),
    known: [...known].toSorted((a, b) => a - b),
    unusualWeight,
    unusualThreshold: unusualWeight * suspiciousAt,
    conducts: conductCategories.flatMap((category) => learn(category, examples)),
    driftAllowance: Math.round(Math.max(0.5, 2 * mean) * unitsPerOne),
    driftLimit: 2 * suspiciousAt * unitsPerOne,
  });
  const model = unwrap(openModel(payload, processor));
  const wrong = runs.find(
    ({ conduct, windows }) =>
      conduct === 'ordinary' && windows.some((calls) => !['none', 'low'].includes(judgeWindow(model, calls).category)),
  );
  const missed = runs.find(
    ({ conduct, windows }) =>
      conduct !== 'ordinary' && windows.every((calls) => ['none', 'low'].includes(judgeWindow(model, calls).category)),
  );
  if (wrong !== undefined) return deny('intelligence', 'baseline-refused', `${wrong.name} does not look ordinary`);
  // An attack that looks ordinary means that the baseline has learned attacks.
  if (missed !== undefined) return deny('intelligence', 'baseline-refused', `${missed.name} looks ordinary`);
  return ok(payload);
};

interface Example {
  readonly conduct: Run['conduct'];
  readonly buckets: readonly number[];
}

/** Projected gradient descent over all examples at once; both sides weigh the same, however many examples they have. */
const learn = (category: RiskCategory, examples: readonly Example[]): readonly ConductWeights[] => {
  const isOf = ({ conduct }: Example): boolean => conduct === category;
  const count = examples.filter(isOf).length;
  if (count === 0) return [];
  const weights = new Map<number, number>();
  for (const { buckets } of examples.filter(isOf)) for (const bucket of buckets) weights.set(bucket, 0);
  let threshold = 1;
  for (let step = 0; step < steps; step += 1) {
    const gradients = new Map<number, number>();
    let thresholdGradient = 0;
    for (const example of examples) {
      const sum = example.buckets.reduce((total, bucket) => total + (weights.get(bucket) ?? 0), 0);
      const likelihood = 1 / (1 + Math.exp(threshold - sum));
      const share = isOf(example) ? 0.5 / count : 0.5 / (examples.length - count);
      const error = share * (likelihood - (isOf(example) ? 1 : 0));
      thresholdGradient -= error;
      for (const bucket of example.buckets) if (weights.has(bucket)) gradients.set(bucket, (gradients.get(bucket) ?? 0) + error);
    }
    threshold = Math.max(1, threshold - rate * thresholdGradient);
    for (const [bucket, weight] of weights)
      weights.set(bucket, Math.min(heaviest, Math.max(0, weight - rate * ((gradients.get(bucket) ?? 0) + decay * weight))));
  }
  const kept = [...weights]
    .map(([bucket, weight]) => [bucket, Math.round(weight * unitsPerOne)] as const)
    .filter(([, weight]) => weight > 0)
    .toSorted(([a], [b]) => a - b);
  return [
    {
      category,
      threshold: Math.round(threshold * unitsPerOne),
      buckets: kept.map(([bucket]) => bucket),
      weights: kept.map(([, weight]) => weight),
    },
  ];
};

/** SHA-256 over every ordinary window, each with its length. */
const baselineDigest = (windows: readonly (readonly number[])[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const calls of windows) for (const number of [calls.length, ...calls]) hash.update(u32be(number));
  return hash.digest();
};
