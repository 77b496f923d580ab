/** What every `Signals` must do. */
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { type CallWindow, type Signals, windowLimits } from '#hal/ports/signals';

export interface SignalsUnderTest {
  readonly signals: Signals;
  /** Makes these windows happen. */
  readonly offer: (windows: readonly CallWindow[]) => void;
}

const window = (app: string, count: number, call = 1): CallWindow => ({ app, calls: new Array<number>(count).fill(call) });

export const signalsContract = (name: string, open: () => SignalsUnderTest): void => {
  describe(`Signals: ${name}`, () => {
    test('has nothing where nothing happened', async () => {
      expect(unwrap(await open().signals.take())).toEqual([]);
    });

    test('hands out each window once, oldest first', async () => {
      const { signals, offer } = open();
      offer([window('a', windowLimits.calls), window('b', windowLimits.least, windowLimits.callNumber - 1)]);
      offer([window('c', 20)]);
      expect(unwrap(await signals.take()).map(({ app, calls }) => [app, calls.length])).toEqual([
        ['a', windowLimits.calls],
        ['b', windowLimits.least],
        ['c', 20],
      ]);
      expect(unwrap(await signals.take())).toEqual([]);
      offer([window('d', 16)]);
      expect(unwrap(await signals.take())).toHaveLength(1);
    });

    test('keeps so many windows and loses the oldest of more', async () => {
      const { signals, offer } = open();
      for (let round = 0; round < 3; round += 1)
        offer(Array.from({ length: windowLimits.held / 2 }, (_, index) => window(`app-${round}-${index}`, 16)));
      const taken = unwrap(await signals.take());
      expect(taken).toHaveLength(windowLimits.held);
      expect([taken[0]?.app, taken.at(-1)?.app]).toEqual(['app-1-0', `app-2-${windowLimits.held / 2 - 1}`]);
    });
  });
};
