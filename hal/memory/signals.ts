/** `Signals` of a machine that is not there: what a test or a world puts in. */
import { ok } from '#hal/core/result';
import { type CallWindow, type Signals, windowLimits } from '#hal/ports/signals';

export interface MemorySignals extends Signals {
  offer(windows: readonly CallWindow[]): void;
}

export const memorySignals = (): MemorySignals => {
  let waiting: readonly CallWindow[] = [];
  return {
    offer(windows) {
      waiting = [...waiting, ...windows].slice(-windowLimits.held);
    },
    async take() {
      const taken = waiting;
      waiting = [];
      return ok(taken);
    },
  };
};
