/** Windows in, points out: our own arithmetic, in plain TypeScript. */

import type { RiskCategory } from '#protos/gen/types';
import { bucketsOf } from './grams.ts';
import type { Model } from './model.ts';

/** Points from which a score is called so. A score is 100 times the likelihood that the model was fitted to. */
export const bounds = { conduct: 80, suspicious: 50, low: 20 } as const;

export interface WindowJudgement {
  readonly category: RiskCategory;
  /** 0–100: the highest of `scores`. */
  readonly score: number;
  /** 0–100 of each output of the model. */
  readonly scores: readonly number[];
  /** N-grams that the baseline does not have. */
  readonly unknown: number;
}

export const judgeWindow = (model: Model, calls: readonly number[]): WindowJudgement => {
  const buckets = bucketsOf(calls);
  const columns = model.outputs.length;
  const sums = new Float64Array(columns);
  let unknown = 0;
  for (const bucket of buckets) {
    if (model.isKnown[bucket] === 0) unknown += 1;
    for (let column = 0; column < columns; column += 1)
      sums[column] = (sums[column] ?? 0) + (model.weights[bucket * columns + column] ?? 0);
  }
  const scores = model.outputs.map((_, column) => pointsOf((sums[column] ?? 0) - (model.thresholds[column] ?? 0)));
  return { ...conclude(model, scores), scores, unknown };
};

/** The logistic function, in points. */
const pointsOf = (logOdds: number): number => 100 / (1 + Math.exp(-logOdds));

/** A conduct is named where its own score says so; being unusual alone is never more than suspicious. */
export const conclude = (model: Model, scores: readonly number[]): Pick<WindowJudgement, 'category' | 'score'> => {
  const score = Math.max(...scores);
  const conduct = Math.max(0, ...scores.slice(1));
  if (conduct >= bounds.conduct) return { category: model.outputs[scores.indexOf(conduct, 1)] ?? 'suspicious', score };
  if (score >= bounds.suspicious) return { category: 'suspicious', score };
  return { category: score >= bounds.low ? 'low' : 'none', score };
};
