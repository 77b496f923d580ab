/** Randomness from a seed: SHA-256 in counter mode. For simulators and tests only (SR-04). */
import { createHash } from 'node:crypto';
import type { Random } from '#hal/ports/random';

export const seededRandom = (seed: number | string): Random => {
  let counter = 0;
  return {
    bytes: (count) => {
      const bytes = new Uint8Array(count);
      for (let offset = 0; offset < count; offset += 32) {
        const block = createHash('sha256').update(`enigm-simulated-random ${seed} ${counter}`).digest();
        counter += 1;
        bytes.set(block.subarray(0, Math.min(32, count - offset)), offset);
      }
      return bytes;
    },
  };
};
