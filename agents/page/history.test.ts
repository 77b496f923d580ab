import { describe, expect, test } from 'vitest';
import { type Change, maxChanges, remembered } from './history.ts';

describe('the history', () => {
  const shown = (code: string) => ({ code, title: code, level: 'none', tone: 'unknown' }) as const;
  const at = { atBootMs: 0, atMs: 0 };

  test('remembers a change of headline or level, newest first, and nothing else', () => {
    let changes: readonly Change[] = [];
    for (const code of ['a', 'a', 'b', 'b', 'a']) changes = remembered(changes, shown(code), at);
    expect(changes.map(({ number, code }) => `${number} ${code}`)).toEqual(['3 a', '2 b', '1 a']);
    expect(remembered(changes, shown('a'), at)).toBe(changes);
    expect(remembered(changes, { ...shown('a'), level: 'basic' }, at)).toHaveLength(4);
  });

  test('keeps so many and no more', () => {
    let changes: readonly Change[] = [];
    for (let index = 0; index < maxChanges + 5; index += 1) changes = remembered(changes, shown(String(index)), at);
    expect(changes).toHaveLength(maxChanges);
    expect(changes[0]?.number).toBe(maxChanges + 5);
  });
});
