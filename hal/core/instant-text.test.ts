import { expect, test } from 'vitest';
import { instantText } from './instant-text.ts';

test.each([
  [0, '1970-01-01T00:00:00.000Z'],
  [1_795_344_292_374, '2026-11-22T10:44:52.374Z'],
  [Number.MAX_SAFE_INTEGER, '9007199254740991 ms'],
  [Number.NaN, 'NaN ms'],
])('%d is written %s', (timeMs, text) => {
  expect(instantText(timeMs)).toBe(text);
});
