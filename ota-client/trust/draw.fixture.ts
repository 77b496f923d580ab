/** Choices of a random test: the same for the same name. */
import { createHash } from 'node:crypto';

/** A whole number below `below`. */
export type Draw = (below: number) => number;

export const drawing = (name: string): Draw => {
  let count = 0;
  return (below) => {
    count += 1;
    return createHash('sha256').update(`${name} ${count}`).digest().readUInt32BE(0) % below;
  };
};

export const pick = <T>(draw: Draw, items: readonly T[]): T => items[draw(items.length)] as T;
