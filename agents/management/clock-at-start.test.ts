import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clockAtStart } from './clock-at-start.ts';
import { builtMs, isInLife } from './time.ts';

const dayMs = 86_400_000;
const yearsMs = 365 * dayMs;

describe('the clock of a machine at its start (SR-16)', () => {
  test.each([
    ['is left alone where it may be right', builtMs + yearsMs, builtMs + dayMs, undefined],
    ['is left alone where nothing was signed yet', builtMs + yearsMs, undefined, undefined],
    ['is not left at its beginning', 0, undefined, builtMs],
    ['shows no time before the newest that was signed', builtMs + dayMs, builtMs + 2 * dayMs, builtMs + 2 * dayMs],
    ['shows no time after the life of this software', builtMs + 11 * yearsMs, builtMs + dayMs, builtMs + dayMs],
    ['does not follow a mark that nobody can have signed', 0, builtMs + 11 * yearsMs, builtMs],
    ['does not follow a mark from before this software', 0, 1, builtMs],
  ])('%s', (_, shownMs, markMs, expected) => {
    expect(clockAtStart(shownMs, markMs)).toBe(expected);
  });

  test('is set to a time of its life, and then left alone', () => {
    const time = fc.integer({ min: 0, max: builtMs + 30 * yearsMs });
    fc.assert(
      fc.property(time, fc.option(time, { nil: undefined }), (shownMs, markMs) => {
        const setMs = clockAtStart(shownMs, markMs);
        if (setMs === undefined) return;
        expect(isInLife(setMs, builtMs)).toBe(true);
        expect(clockAtStart(setMs, markMs)).toBeUndefined();
      }),
    );
  });
});
