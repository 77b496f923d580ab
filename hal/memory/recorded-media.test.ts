/** What a life leaves at each of its cuts, counted by hand where that can be done. */
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { blockPool } from '#hal/memory/block-pool';
import { type PowerFate, powerStates } from '#hal/memory/power-states';
import { seededRandom } from '#hal/memory/random';
import { blankMedia, cellBytes, type MediaLayout, type MediaState, recordedMedia } from '#hal/memory/recorded-media';

const layout: MediaLayout = { media: { disk: 4 * cellBytes, other: cellBytes }, registers: ['bit'] };
const pool = blockPool();
const cell = (value: number) => new Uint8Array(cellBytes).fill(value);
/** First byte of each cell, and the register's. */
const told = ({ cells }: MediaState) => [...cells].map((number) => pool.bytesOf(number)[0] ?? 0).join('');
const statesOf = (from: MediaState, operations: Parameters<typeof powerStates>[1], tornPerCut = 0) => [
  ...powerStates(from, operations, { pool, random: seededRandom('states'), tornPerCut }),
];

describe('recorded media', () => {
  test('read what was written, flushed or not, at any place and over the bounds of cells', async () => {
    const media = recordedMedia(layout, pool, blankMedia(layout, pool));
    const disk = media.device('disk');
    unwrap(await disk.write(cellBytes, cell(1)));
    unwrap(await disk.flush());
    unwrap(await disk.write(2 * cellBytes, cell(2)));
    expect([...unwrap(await disk.read(2 * cellBytes - 1, 2))]).toEqual([1, 2]);
    expect((await disk.read(4 * cellBytes - 1, 2)).ok).toBe(false);
    expect(told(media.state())).toBe('010000');
    expect(media.state().pending).toHaveLength(1);
    const later = recordedMedia(layout, pool, media.state());
    expect([...unwrap(await later.device('disk').read(2 * cellBytes, 1))]).toEqual([2]);
    await expect(disk.write(1, cell(1))).rejects.toThrow(/whole cells/);
  });

  test('a flush of one medium leaves the others as they are; a register is durable at once', async () => {
    const media = recordedMedia(layout, pool, blankMedia(layout, pool));
    unwrap(await media.device('disk').write(0, cell(1)));
    unwrap(await media.device('other').write(0, cell(2)));
    unwrap(await media.device('other').flush());
    media.writeRegister('bit', Uint8Array.of(7));
    expect(told(media.state())).toBe('000027');
    expect([...media.readRegister('bit')]).toEqual([7]);
  });
});

describe('what a cut leaves', () => {
  test('of two unflushed writes none, both, or either, and after the flush both', async () => {
    const from = blankMedia(layout, pool);
    const media = recordedMedia(layout, pool, from);
    const disk = media.device('disk');
    unwrap(await disk.write(0, cell(1)));
    unwrap(await disk.write(cellBytes, cell(2)));
    unwrap(await disk.flush());
    media.writeRegister('bit', Uint8Array.of(3));
    const states = statesOf(from, media.operations);
    const cut = states.filter(({ fate }) => fate !== 'killed').map((state) => [state.atOperation, state.fate, told(state)]);
    expect(cut).toEqual([
      [0, 'dropped', '000000'],
      [1, 'kept', '100000'],
      [2, 'kept', '120000'],
      [2, 'reordered', '020000'],
      [4, 'dropped', '120003'],
    ]);
    // The programs alone: what is on its way stays on its way.
    const killed = states.filter(({ fate }) => fate === 'killed').map((state) => [told(state), state.pending.length]);
    expect(killed).toEqual([
      ['000000', 0],
      ['000000', 1],
      ['000000', 2],
      ['120000', 0],
      ['120003', 0],
    ]);
  });

  test('of writes to one cell any subset in any order of the drive, and of a torn one some sectors', async () => {
    const from = blankMedia(layout, pool);
    const media = recordedMedia(layout, pool, from);
    for (const value of [1, 2]) unwrap(await media.device('disk').write(0, cell(value)));
    const whole = statesOf(from, media.operations).filter(({ fate }) => fate !== 'killed');
    expect(new Set(whole.map(told))).toEqual(new Set(['000000', '100000', '200000']));
    const torn = statesOf(from, media.operations, 20).filter(({ fate }) => fate === 'torn');
    const mixed = torn.map(({ cells }) => new Set(pool.bytesOf(cells[0] ?? 0)));
    expect(mixed.some((values) => values.has(0) && values.has(2))).toBe(true);
    expect(mixed.some((values) => values.has(1) && values.has(2))).toBe(true);
  });

  test('more writes than can be combined are drawn from, all of them at times', async () => {
    const from = blankMedia(layout, pool);
    const media = recordedMedia(layout, pool, from);
    for (let round = 1; round <= 2; round += 1)
      for (let at = 0; at < 4; at += 1) unwrap(await media.device('disk').write(at * cellBytes, cell(round)));
    const states = statesOf(from, media.operations);
    const count = (fate: PowerFate) => states.filter((state) => state.fate === fate).length;
    expect(count('reordered')).toBeGreaterThan(40);
    expect(new Set(states.map(told)).size).toBe(new Set(states.filter(({ fate }) => fate !== 'killed').map(told)).size);
  });
});

test('a pool gives equal bytes one number, and forgets what it is told to', () => {
  const own = blockPool();
  const first = own.numberOf(0, cell(1));
  expect(own.numberOf(9, cell(1))).toBe(first);
  const { size } = own;
  const second = own.numberOf(0, cell(2));
  own.shrink(size);
  expect(() => own.bytesOf(second)).toThrow(/nothing has number/);
  expect(own.numberOf(0, cell(3))).toBe(second);
  expect(own.bytesOf(second)).toEqual(cell(3));
});
