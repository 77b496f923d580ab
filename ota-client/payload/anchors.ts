/**
 * Anchors are places chosen by content, so that they move with it: blocks that share some were made of the same. For the
 * publisher only; a bad answer makes a larger update, never a wrong one.
 *
 * The rule is the gear hash of FastCDC (Xia et al., USENIX ATC 2016, §3.2): after each byte h = 2h + table[byte], so its top
 * bits depend on the last 32 bytes alone.
 *
 * A large base has too many to keep. So the table first learns which ones some blocks of the target have, and then where these
 * are in the base: 8 bytes a place in it, however large the images are.
 */
import { hash } from 'node:crypto';
import { blockBytes, segmentBytes } from './limits.ts';

export interface AnchorTable {
  /** Remembers which anchors a block has. Not more than a segment of them once the table is full. */
  want(block: Uint8Array): void;
  readonly isFull: boolean;
  /** @returns what takes the base from its first byte on, in pieces of a segment at most, and notes where wanted anchors are first */
  note(): (piece: Uint8Array) => void;
  /** Blocks of the base that share content with a block that was wanted, each with how many anchors they share. */
  shared(block: Uint8Array): ReadonlyMap<number, number>;
  clear(): void;
}

/** One place in 128 becomes an anchor. */
const anchorShift = 25;
const windowBytes = 32;
/** Half of it for anchors of the blocks before, room for one segment in which every place is another anchor. */
const fewestPlaces = 2 * segmentBytes;
/** 64 MiB: some 130,000 blocks, 512 MiB of changed content, for one look at the base. */
export const mostAnchorPlaces = 8 * 1024 * 1024;
/** Twice as many as a block usually has. */
const placesForBlock = 64;

const free = 0;
const wanted = 1;
/** What a block of the base is written as. */
const firstBlock = 2;

/**
 * @param blocks of the target that will be wanted, together
 * @param mostPlaces of the table, of 8 bytes each; fewer make more looks at the base and change nothing else
 */
export const anchorTable = (blocks: number, mostPlaces: number): AnchorTable => {
  const enough = 2 ** Math.ceil(Math.log2(blocks * placesForBlock + 1));
  const size = Math.max(fewestPlaces, Math.min(enough, 2 ** Math.floor(Math.log2(mostPlaces))));
  const keys = new Uint32Array(size);
  const states = new Uint32Array(size);
  let used = 0;
  const placeOf = (key: number): number => {
    for (let place = (key ^ (key >>> 15)) & (size - 1); ; place = (place + 1) & (size - 1))
      if (states[place] === free || keys[place] === key) return place;
  };
  return {
    want(block) {
      eachAnchor(block, { from: 0, least: windowBytes, state: 0 }, (key) => {
        const place = placeOf(key);
        if (states[place] !== free) return;
        keys[place] = key;
        states[place] = wanted;
        used += 1;
      });
    },
    get isFull() {
      return used >= size / 2;
    },
    note() {
      /** What an anchor at the start of a piece depends on, and the piece. */
      const joined = new Uint8Array(windowBytes + segmentBytes);
      let state = 0;
      let passedBytes = 0;
      return (piece) => {
        joined.set(piece, windowBytes);
        const end = windowBytes + piece.length;
        const least = passedBytes === 0 ? 2 * windowBytes : windowBytes;
        state = eachAnchor(joined.subarray(0, end), { from: windowBytes, least, state }, (key, at) => {
          const place = placeOf(key);
          if (states[place] === wanted) states[place] = firstBlock + Math.floor((passedBytes + at - windowBytes) / blockBytes);
        });
        joined.copyWithin(0, end - windowBytes, end);
        passedBytes += piece.length;
      };
    },
    shared(block) {
      const votes = new Map<number, number>();
      eachAnchor(block, { from: 0, least: windowBytes, state: 0 }, (key) => {
        const held = states[placeOf(key)] as number;
        if (held >= firstBlock) votes.set(held - firstBlock, (votes.get(held - firstBlock) ?? 0) + 1);
      });
      return votes;
    },
    clear() {
      states.fill(free);
      used = 0;
    },
  };
};

/** Fixed, so that the same images give the same update. */
const gear = Uint32Array.from({ length: 256 }, (_, byte) => hash('sha256', `enigm-gear ${byte}`, 'buffer').readUInt32BE(0));

interface Stretch {
  readonly from: number;
  /** No anchor is before it. */
  readonly least: number;
  /** Of the gear hash, as the bytes before left it. */
  readonly state: number;
}

/** @returns the gear hash behind the last byte */
const eachAnchor = (bytes: Uint8Array, { from, least, state }: Stretch, found: (key: number, at: number) => void): number => {
  let gearHash = state;
  for (let at = from; at < bytes.length; at += 1) {
    gearHash = ((gearHash << 1) + (gear[bytes[at] as number] as number)) | 0;
    if (gearHash >>> anchorShift === 0 && at >= least) found(keyAt(bytes, at), at);
  }
  return gearHash;
};

/** FNV-1a over the window: the gear hash itself has few free bits left at an anchor. */
const keyAt = (bytes: Uint8Array, end: number): number => {
  let key = 0x811c9dc5;
  for (let at = end - windowBytes + 1; at <= end; at += 1) key = Math.imul(key ^ (bytes[at] as number), 0x01000193);
  return key >>> 0;
};
