/**
 * Where the base image has a block, wherever the target has it: 13 to 18 bytes for each block of the base. For the publisher
 * only.
 *
 * Eight bytes of a digest find and prove nothing: whoever copies compares.
 */
import { hash } from 'node:crypto';

export interface BlockTable {
  /** Blocks in their order, from the first. */
  add(block: Uint8Array): void;
  /** @returns the first that seems to equal this block, or `preferred` if that one does */
  find(block: Uint8Array, preferred?: number): number | undefined;
}

/** Open addressing over arrays of numbers, at most four fifths full. */
export const blockTable = (blocks: number): BlockTable => {
  const size = 2 ** Math.ceil(Math.log2(blocks * 1.25 + 1));
  const highs = new Uint32Array(blocks);
  const lows = new Uint32Array(blocks);
  /** One above a block. */
  const places = new Uint32Array(size);
  let count = 0;
  const isAt = (block: number, high: number, low: number): boolean => highs[block] === high && lows[block] === low;
  /** Where it is, or would go. */
  const placeOf = (high: number, low: number): number => {
    for (let place = high & (size - 1); ; place = (place + 1) & (size - 1)) {
      const held = places[place] as number;
      if (held === 0 || isAt(held - 1, high, low)) return place;
    }
  };
  return {
    add(block) {
      const digest = digestOf(block);
      const [high, low] = [digest.readUInt32BE(0), digest.readUInt32BE(4)];
      highs[count] = high;
      lows[count] = low;
      count += 1;
      const place = placeOf(high, low);
      if (places[place] === 0) places[place] = count;
    },
    find(block, preferred) {
      const digest = digestOf(block);
      const [high, low] = [digest.readUInt32BE(0), digest.readUInt32BE(4)];
      if (preferred !== undefined && preferred < count && isAt(preferred, high, low)) return preferred;
      const held = places[placeOf(high, low)] as number;
      return held === 0 ? undefined : held - 1;
    },
  };
};

const digestOf = (block: Uint8Array): Buffer => hash('sha256', block, 'buffer');
