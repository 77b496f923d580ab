/** Exit codes of `enigm-sim`. A sabotaged day that is refused as it must be is `refused`: never 0. */
export const exitCodes = { done: 0, failed: 1, usage: 2, refused: 3, interrupted: 130 } as const;
