import { expect, test } from 'vitest';
import { segmentProgress } from './segment-progress.ts';

test('progress is told now and then, not for each segment', () => {
  const told: string[] = [];
  let nowMs = 0;
  const progress = segmentProgress((text) => void told.push(text), { nowMs: () => nowMs });
  for (let made = 1; made <= 12; made += 1) {
    nowMs += 1_000;
    progress(made, 12);
  }
  expect(told).toEqual(['5 of 12 segments', '10 of 12 segments']);
});
