import { describe, expect, test } from 'vitest';
import { edge, type Gesture, type Gestures, gestureMs, nextGestureMs, noGesture, settle } from './gestures.ts';

type Move = readonly [atMs: number, button: 'sos' | 'side', isDown: boolean];

/** Play edges, waking exactly when asked; what was made, with its time. */
const play = (moves: readonly Move[], untilMs: number): string[] => {
  const made: string[] = [];
  let gestures: Gestures = noGesture;
  const pass = (atMs: number): void => {
    for (let due = nextGestureMs(gestures); due !== undefined && due <= atMs; due = nextGestureMs(gestures)) wake(due);
  };
  const wake = (atMs: number): void => {
    const settled = settle(gestures, atMs);
    ({ gestures } = settled);
    made.push(...settled.made.map((gesture: Gesture) => `${gesture} ${atMs}`));
  };
  for (const [atMs, button, isDown] of moves) {
    pass(atMs);
    gestures = edge(gestures, button, isDown, atMs);
  }
  pass(untilMs);
  return made;
};

const tap = (atMs: number, forMs = 100): Move[] => [
  [atMs, 'sos', true],
  [atMs + forMs, 'sos', false],
];

describe('gestures', () => {
  test('a press of two seconds is sos, and letting go says so', () => {
    expect(
      play(
        [
          [100, 'sos', true],
          [2_600, 'sos', false],
        ],
        9_000,
      ),
    ).toEqual(['sos 2100', 'release 2620']);
  });

  test('a press of a little less is nothing', () => {
    expect(
      play(
        [
          [100, 'sos', true],
          [100 + gestureMs.hold - 1, 'sos', false],
        ],
        9_000,
      ),
    ).toEqual([]);
  });

  test('five taps within three seconds are sos, without a release to come; four, or slower ones, are nothing', () => {
    const taps = (count: number, everyMs: number) =>
      Array.from({ length: count }, (_, index) => tap(1_000 + index * everyMs)).flat();
    expect(play(taps(5, 600), 9_000)).toEqual(['sos 3520']);
    expect(play(taps(4, 600), 9_000)).toEqual([]);
    expect(play(taps(5, 800), 9_000)).toEqual([]);
  });

  test('both buttons for two seconds are chord, and not sos', () => {
    const both: Move[] = [
      [0, 'sos', true],
      [300, 'side', true],
      [2_900, 'sos', false],
      [3_000, 'side', false],
    ];
    expect(play(both, 9_000)).toEqual(['chord 2300']);
    expect(
      play(
        [
          [0, 'side', true],
          [9_000, 'side', false],
        ],
        20_000,
      ),
    ).toEqual([]);
  });

  test('bounce shorter than 20 ms is nothing, on the way down and on the way up', () => {
    const bounce: Move[] = [0, 4, 9, 13, 21].map((atMs, index): Move => [atMs, 'sos', index % 2 === 0]);
    expect(play([...bounce, [2_500, 'sos', false], [2_505, 'sos', true], [2_512, 'sos', false]], 9_000)).toEqual([
      'sos 2021',
      'release 2532',
    ]);
    expect(
      play(
        [
          [0, 'sos', true],
          [19, 'sos', false],
        ],
        9_000,
      ),
    ).toEqual([]);
  });

  test('no time is asked for while nothing is touched', () => {
    expect(nextGestureMs(noGesture)).toBeUndefined();
  });
});
