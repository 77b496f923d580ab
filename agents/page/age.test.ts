import { describe, expect, test } from 'vitest';
import { ageWords } from './age.ts';

describe('an age', () => {
  test('is told in the coarsest unit that says something', () => {
    const minute = 60_000;
    const cases: [number, string][] = [
      [-5, '0 s ago'],
      [999, '0 s ago'],
      [59_999, '59 s ago'],
      [minute, '1 min ago'],
      [60 * minute - 1, '59 min ago'],
      [60 * minute, '1 h ago'],
      [24 * 60 * minute, '1 day ago'],
      [72 * 60 * minute, '3 days ago'],
    ];
    for (const [ageMs, text] of cases) expect(ageWords(ageMs)).toBe(text);
  });
});
