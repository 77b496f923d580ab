/** The same linear model as tensors: windows × buckets times buckets × outputs, in whichever engine was loaded. */
import type { CallWindow } from '#hal/ports/signals';
import type { Tensors } from './engines.ts';
import { bucketCount, bucketsOf } from './grams.ts';
import type { Model } from './model.ts';

/** @returns points of each output of the model, of each window */
export const scoreByTensors = (
  tensors: Tensors,
  { outputs, weights, thresholds }: Model,
  windows: readonly CallWindow[],
): readonly (readonly number[])[] => {
  if (windows.length === 0) return [];
  const columns = outputs.length;
  const filled = new Float32Array(windows.length * bucketCount);
  for (const [row, { calls }] of windows.entries()) for (const bucket of bucketsOf(calls)) filled[row * bucketCount + bucket] = 1;
  const likelihoods = tensors.tidy(() => {
    const sums = tensors.matMul(
      tensors.tensor2d(filled, [windows.length, bucketCount]),
      tensors.tensor2d(weights, [bucketCount, columns]),
    );
    return Array.from(tensors.sigmoid(tensors.sub(sums, tensors.tensor2d(thresholds, [1, columns]))).dataSync());
  });
  return windows.map((_, row) => likelihoods.slice(row * columns, (row + 1) * columns).map((likelihood) => 100 * likelihood));
};
