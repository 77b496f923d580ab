import { describe, expect, test } from 'vitest';
import { virtualClock } from '#hal/memory/clock';
import { newBoard } from './board.ts';
import { samples } from './testing.ts';

const fault = { category: 'unavailable', reason: 'program-down' } as const;

describe('the board', () => {
  test('knows nothing before anything came', () => {
    const board = newBoard(virtualClock());
    expect(board.view()).toMatchObject({ code: 'program-down', level: 'none' });
    expect(board.ageMs()).toBeUndefined();
  });

  test('wakes whoever waits, and remembers what it has shown', async () => {
    const clock = virtualClock();
    const board = newBoard(clock);
    board.view();
    await clock.advance(1_000);
    const changed = board.changed(new AbortController().signal);
    board.hold(samples.good, 'nothing');
    await changed;
    await clock.advance(1_000);
    board.lose(fault);
    expect(board.view().changes.map(({ code, atBootMs }) => `${code} ${atBootMs}`)).toEqual([
      'program-down 2000',
      'as-expected 1000',
      'program-down 0',
    ]);
  });

  test('does not take the same measurement for a newer one', async () => {
    const clock = virtualClock();
    const board = newBoard(clock);
    board.hold(samples.good, 'nothing');
    await clock.advance(20_000);
    board.hold(samples.good, 'attest');
    expect(board.ageMs()).toBe(20_000);
    board.hold({ ...samples.good, measuredMs: samples.good.measuredMs + 1 }, 'attest');
    expect(board.ageMs()).toBe(0);
  });

  test('is not made younger by a change of the wall clock (SR-16)', async () => {
    const clock = virtualClock();
    const board = newBoard(clock);
    board.hold(samples.good, 'nothing');
    await clock.advance(61_000);
    clock.jumpWall(-3_600_000);
    expect(board.view().code).toBe('at-risk');
  });

  test('tells programs the same as people', () => {
    const board = newBoard(virtualClock());
    board.hold(samples.reduced, 'read-posture');
    expect(JSON.parse(board.json())).toMatchObject({ feed: 'up', nextStep: 'read-posture', history: [{ code: 'reduced' }] });
  });
});
