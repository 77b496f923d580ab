/** Where in the running slot the blocks of an image may be: filled in one pass over the slot, in a few bytes a block. */
import { blockBytes, segmentCount } from './limits.ts';
import { hintBytes, type Locator } from './units.ts';

export interface HintTable {
  /** @param digest SHA-256 of block `block` of the source; remembered if the image wants such a block, the first of several */
  note(digest: Uint8Array, block: number): void;
  /** @param hint `hintBytes`. @returns a block of the source that may be the one */
  find(hint: Uint8Array): number | undefined;
}

/** Of a block of zeros, which is not looked for. */
export const isZeroHint = (hint: Uint8Array): boolean => hint.every((byte) => byte === 0);

/** Open addressing over arrays of numbers: 9 bytes a place, at most two places for a block. */
export const hintTable = (locator: Locator, imageBytes: number): HintTable => {
  const places = 2 ** Math.ceil(Math.log2((imageBytes / blockBytes) * 1.25 + 1));
  const firsts = new Uint32Array(places);
  const lasts = new Uint8Array(places);
  /** One above the block of the source. */
  const blocks = new Uint32Array(places);
  const placeOf = (first: number, last: number): number => {
    for (let place = (first ^ (last << 8)) & (places - 1); ; place = (place + 1) & (places - 1)) {
      const isFree = firsts[place] === 0 && lasts[place] === 0;
      if (isFree || (firsts[place] === first && lasts[place] === last)) return place;
    }
  };
  const at = (hint: Uint8Array): number => placeOf(firstOf(hint), hint[4] as number);
  for (let segment = 0; segment < segmentCount(imageBytes); segment += 1) {
    const hints = locator.segment(segment)?.hints ?? new Uint8Array();
    for (let from = 0; from < hints.length; from += hintBytes) {
      const hint = hints.subarray(from, from + hintBytes);
      if (isZeroHint(hint)) continue;
      const place = at(hint);
      firsts[place] = firstOf(hint);
      lasts[place] = hint[4] as number;
    }
  }
  return {
    note(digest, block) {
      if (isZeroHint(digest.subarray(0, hintBytes))) return;
      const place = at(digest);
      if ((firsts[place] !== 0 || lasts[place] !== 0) && blocks[place] === 0) blocks[place] = block + 1;
    },
    find(hint) {
      const block = blocks[at(hint)] as number;
      return block === 0 ? undefined : block - 1;
    },
  };
};

const firstOf = (hint: Uint8Array): number => new DataView(hint.buffer, hint.byteOffset).getUint32(0);
