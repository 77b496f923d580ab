/** Numbers from random bytes. */
import type { Random } from '#hal/ports/random';

/** Draws a number from 0 to under a limit; 0 where there is nothing to draw from. */
export type Below = (limit: number) => number;

/** @param random of a seed. Limits here are so far below 2^48 that no number comes more often than another that matters */
export const below =
  (random: Random): Below =>
  (limit) =>
    limit <= 1 ? 0 : Buffer.from(random.bytes(6)).readUIntBE(0, 6) % limit;
