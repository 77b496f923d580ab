/** Virtual time: it moves only when told to, and then wakes every sleeper in order. */
import type { Clock } from '#hal/ports/clock';

export interface VirtualClock extends Clock {
  /** Moves both clocks forward; sleepers due by then wake in the order of their times. */
  advance(durationMs: number): Promise<void>;
  /** Moves the wall clock alone, either way: somebody set the time. */
  jumpWall(durationMs: number): void;
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

export const virtualClock = (startMs = Date.UTC(2026, 0, 1)): VirtualClock => {
  let bootMs = 0;
  let wallOffsetMs = startMs;
  let sleepers: Sleeper[] = [];
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    nowMs: () => wallOffsetMs + bootMs,
    bootMs: () => bootMs,
    sleep: (durationMs, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const sleeper = { atMs: bootMs + durationMs, wake: resolve };
        sleepers.push(sleeper);
        signal.addEventListener('abort', () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          resolve();
        });
      }),
    async advance(durationMs) {
      const untilMs = bootMs + durationMs;
      for (;;) {
        await settle();
        const [next] = sleepers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
        if (next === undefined) break;
        bootMs = Math.max(bootMs, next.atMs);
        sleepers = sleepers.filter((other) => other !== next);
        next.wake();
      }
      bootMs = untilMs;
      await settle();
    },
    jumpWall: (durationMs) => {
      wallOffsetMs += durationMs;
    },
  };
};
