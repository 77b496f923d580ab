/**
 * The power that a simulated machine's media share. It can be cut at any write or flush; what had not been flushed is
 * then dropped, kept, or torn, as a seed decides.
 *
 * Source: the simulator of MCUboot interrupts between any two flash operations (mcuboot #2100); here unflushed writes
 * also survive in any subset, as a drive with a volatile cache allows.
 */
import { deny, type Failure } from '#hal/core/result';
import type { Random } from '#hal/ports/random';

/** What becomes of the writes that no flush had made durable. */
export type Fate = 'dropped' | 'kept' | 'torn';

export interface Cut {
  /** Counted from 1 over all media: the write or flush during which the power fails. */
  readonly atOperation: number;
  readonly fate: Fate;
  /** For `torn`: which pieces survive. */
  readonly random?: Random;
  /** For `torn`: the size of a piece that is written whole or not at all. */
  readonly sectorBytes?: 512 | 4096;
}

export interface MemoryPower {
  /** Writes and flushes so far. */
  readonly operations: number;
  readonly isOn: boolean;
  /** Plan the next cut. */
  cut(plan: Cut): void;
  /** The machine starts again; nothing is planned. */
  restore(): void;
  /** For media: count one operation. @returns the refusal if the power fails during it */
  spend(): Failure | undefined;
  /** For media: told what to do when the power fails. */
  onCut(lose: (cut: Cut) => void): void;
  /** For media: the refusal of every operation while the power is off. */
  off(): Failure | undefined;
}

export const memoryPower = (): MemoryPower => {
  let operations = 0;
  let isOn = true;
  let plan: Cut | undefined;
  const losers: ((cut: Cut) => void)[] = [];
  const failure = deny('unavailable', 'storage-failed', 'the power is off');
  return {
    get operations() {
      return operations;
    },
    get isOn() {
      return isOn;
    },
    cut(next) {
      plan = next;
    },
    restore() {
      isOn = true;
      plan = undefined;
    },
    spend() {
      operations += 1;
      if (plan === undefined || operations !== plan.atOperation) return undefined;
      isOn = false;
      for (const lose of losers) lose(plan);
      return failure;
    },
    onCut: (lose) => void losers.push(lose),
    off: () => (isOn ? undefined : failure),
  };
};
