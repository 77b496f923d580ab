/**
 * The detection model: a linear one over hashed n-grams of system calls, whose baseline was frozen when it was trained.
 * A device learns nothing by itself, so nothing that runs on it can teach it that an attack is ordinary.
 *
 * No weight is negative: adding calls to a window never lowers a score, so padding an attack with ordinary calls gains
 * nothing within a window (Íncer et al., Adversarially Robust Malware Detection Using Monotonic Classification, 2018).
 *
 * What it does not detect: an attack made only of calls in orders that the baseline has (mimicry; Wagner and Soto,
 * Mimicry Attacks on Host-Based Intrusion Detection Systems, 2002); one that calls nothing unusual more often than the
 * drift allowance; what only arguments show, such as which file is read; what happens in the kernel or without calls.
 * Ordinary programs that the baseline never saw are taken for unusual.
 */
import { createHash } from 'node:crypto';
import { decodeMessage } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import type { ConductWeights, DetectionModel, RiskCategory } from '#protos/gen/types';
import { bucketCount } from './grams.ts';

export interface Model {
  readonly version: number;
  /** SHA-256 of the payload. */
  readonly digest: Uint8Array;
  readonly payload: Uint8Array;
  /** What each output says when it is high: `suspicious` first, then the conducts. */
  readonly outputs: readonly RiskCategory[];
  /** Weight of each bucket for each output, `bucketCount` rows of `outputs.length` columns, in log odds. */
  readonly weights: Float32Array;
  /** What each output's sum must exceed to be more likely than not. */
  readonly thresholds: Float32Array;
  readonly isKnown: Uint8Array;
  /** Unknown n-grams that an ordinary window may have on average, and how many more in sum are a drift. */
  readonly drift: { readonly allowance: number; readonly limit: number };
}

export const modelLimits = { payloadBytes: 128 * 1024, weight: 2 ** 15 - 1, threshold: 2 ** 20 } as const;
/** Weights are multiples of 1/1024 and sums of them stay below 2^24 units: exact in 32-bit floats, in any order. */
export const unitsPerOne = 1024;
export const conductCategories: readonly RiskCategory[] = ['malware-like', 'spyware-like', 'tamper'];

/**
 * @param payload an encoded `DetectionModel` whose signatures were verified, or the one of the image
 * @param processor as Node.js calls it: numbers of calls differ between processors
 * @returns `intelligence/model-invalid`, `protocol/malformed`, `field-invalid`; `unavailable/not-supported` where it is for another processor
 */
export const openModel = (payload: Uint8Array, processor: string): Result<Model> => {
  if (payload.length > modelLimits.payloadBytes) return invalid(`${payload.length} bytes`);
  const decoded = decodeMessage('DetectionModel', payload);
  if (!decoded.ok) return decoded;
  const model = decoded.value;
  if (model.processor !== processor) return deny('unavailable', 'not-supported', `a model for ${model.processor}`);
  const wrong = mistakeIn(model);
  return wrong === undefined ? ok(tablesOf(model, payload)) : invalid(wrong);
};

const invalid = (detail: string) => deny('intelligence', 'model-invalid', detail);

const mistakeIn = ({ version, known, conducts, ...model }: DetectionModel): string | undefined => {
  if (version < 1) return 'version';
  if (!areBuckets(known)) return 'known';
  if (!isWeight(model.unusualWeight) || !isThreshold(model.unusualThreshold)) return 'unusual';
  if (model.driftAllowance < 1 || model.driftLimit < 1) return 'drift';
  if (new Set(conducts.map(({ category }) => category)).size !== conducts.length) return 'a conduct twice';
  return conducts.find((conduct) => !isConduct(conduct))?.category;
};

const isConduct = ({ category, threshold, buckets, weights }: ConductWeights): boolean =>
  conductCategories.includes(category) &&
  isThreshold(threshold) &&
  areBuckets(buckets) &&
  weights.length === buckets.length &&
  weights.every(isWeight);

/** Ascending, so that a model has one encoding. */
const areBuckets = (buckets: readonly number[]): boolean =>
  buckets.every((bucket, index) => bucket < bucketCount && bucket > (buckets[index - 1] ?? -1));
const isWeight = (weight: number): boolean => weight >= 1 && weight <= modelLimits.weight;
const isThreshold = (threshold: number): boolean => threshold >= 1 && threshold <= modelLimits.threshold;

const tablesOf = (model: DetectionModel, payload: Uint8Array): Model => {
  const outputs: readonly RiskCategory[] = ['suspicious', ...model.conducts.map(({ category }) => category)];
  const isKnown = new Uint8Array(bucketCount);
  for (const bucket of model.known) isKnown[bucket] = 1;
  const weights = new Float32Array(bucketCount * outputs.length);
  for (let bucket = 0; bucket < bucketCount; bucket += 1)
    weights[bucket * outputs.length] = isKnown[bucket] === 1 ? 0 : model.unusualWeight / unitsPerOne;
  for (const [index, conduct] of model.conducts.entries())
    for (const [place, bucket] of conduct.buckets.entries())
      weights[bucket * outputs.length + index + 1] = (conduct.weights[place] ?? 0) / unitsPerOne;
  return {
    version: model.version,
    digest: createHash('sha256').update(payload).digest(),
    payload,
    outputs,
    weights,
    thresholds: Float32Array.from(
      [model.unusualThreshold, ...model.conducts.map(({ threshold }) => threshold)],
      (units) => units / unitsPerOne,
    ),
    isKnown,
    drift: { allowance: model.driftAllowance / unitsPerOne, limit: model.driftLimit / unitsPerOne },
  };
};
