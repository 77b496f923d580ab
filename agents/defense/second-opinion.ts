/** What the tensor engine says of windows that we have judged. It never changes what we said; it shows a broken engine. */
import { deny, done, type Result } from '#hal/core/result';
import type { Model } from './model.ts';
import { conclude, type WindowJudgement } from './score.ts';

/** In points. The sums are exact in both engines (model.ts), so they differ by the rounding of one logistic function. */
export const tolerance = 1e-3;

/** @returns `intelligence/opinions-differ` where a category or a score is another one */
export const compareOpinions = (
  model: Model,
  ours: readonly WindowJudgement[],
  theirs: readonly (readonly number[])[],
): Result<void> => {
  if (theirs.length !== ours.length) return deny('intelligence', 'opinions-differ', `${theirs.length} of ${ours.length} windows`);
  for (const [index, { category, scores }] of ours.entries()) {
    const other = theirs[index] ?? [];
    const isNear =
      other.length === scores.length && scores.every((score, output) => Math.abs(score - (other[output] ?? 0)) <= tolerance);
    const said = conclude(model, other).category;
    if (!isNear || said !== category)
      return deny('intelligence', 'opinions-differ', `window ${index}: ${category} ${scores.join()}; ${said} ${other.join()}`);
  }
  return done;
};
