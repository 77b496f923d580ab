/** Choices drawn from a seed: when something fails, for how long, and what is tried next. */
import type { Random } from '#hal/ports/random';

export interface Chance {
  /** A whole number in [0, limit). */
  below(limit: number): number;
  /** True once in `times`, on average. */
  oneIn(times: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
}

export const chance = (random: Random): Chance => {
  // The remainder favours small numbers by less than one in a million for the limits used here.
  const below = (limit: number): number => {
    const bytes = random.bytes(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) % limit;
  };
  return { below, oneIn: (times) => below(times) === 0, pick: (list) => list[below(list.length)] ?? list[0] };
};
