/** For tests: the bits of a TPM, in memory, with every epoch approved; and a TPM that can be cleared, or go away. */
import { done, type Failure, ok } from '#hal/core/result';
import type { TpmFloor } from '#hal/native/tpm-floor';

export interface MemoryTpmFloor extends TpmFloor {
  clear(): void;
  /** Until it is called without one, nothing answers but this. */
  fail(failure?: Failure): void;
}

export const memoryTpmFloor = (): MemoryTpmFloor => {
  let epoch: number | undefined;
  let failure: Failure | undefined;
  return {
    read: async () => failure ?? ok(epoch),
    async define() {
      epoch ??= 0;
      return failure ?? done;
    },
    async raise(wanted) {
      if (failure !== undefined) return failure;
      epoch = Math.max(epoch ?? 0, wanted);
      return done;
    },
    clear() {
      epoch = undefined;
    },
    fail(next) {
      failure = next;
    },
  };
};
