import { describe, expect, test } from 'vitest';
import { seededRandom } from '#hal/memory/random';
import { below } from './below.ts';
import { chooseCuts } from './chosen-cuts.ts';
import { fates } from './cut.ts';
import type { Position } from './moments.ts';

const drawn = () => below(seededRandom('cuts'));
const diskOnly = (from: number, count: number): readonly Position[] =>
  Array.from({ length: count }, (_, index) => ({ disk: from + index, variables: from, tpm: 0 }));
const keyOf = ({ disk, variables }: Position) => `${disk} ${variables}`;

describe('cuts that are looked at', () => {
  test('are as many of each phase, however long it is, and none twice', () => {
    const phases = new Map([
      ['long', diskOnly(0, 1000)],
      ['short', diskOnly(5000, 40)],
    ]);
    const chosen = chooseCuts(phases, 60, drawn());
    expect(chosen.filter(({ phase }) => phase === 'short')).toHaveLength(30);
    expect(new Set(chosen.map(({ position }) => keyOf(position))).size).toBe(60);
    expect(new Set(chosen.map(({ fate }) => fate))).toEqual(new Set(fates));
  });

  test('are at writes to the flash too, where the disk has many more', () => {
    const flash = Array.from({ length: 20 }, (_, index) => ({ disk: 1000, variables: index + 1, tpm: 0 }));
    const chosen = chooseCuts(new Map([['both', [...diskOnly(0, 1000), ...flash]]]), 30, drawn());
    const atFlash = chosen.filter(({ position }) => position.variables > 0).length;
    expect(atFlash).toBeGreaterThan(8);
    expect(atFlash).toBeLessThan(22);
  });

  test('are all that there are, where there are fewer, and the same for the same seed', () => {
    const phases = new Map([
      ['few', diskOnly(0, 5)],
      ['none', []],
    ]);
    expect(chooseCuts(phases, 60, drawn())).toHaveLength(5);
    expect(chooseCuts(phases, 60, drawn())).toEqual(chooseCuts(phases, 60, drawn()));
  });
});
