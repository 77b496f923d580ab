/**
 * Where in the base image something like a piece of the target lies. For the publisher only; a bad answer makes a
 * larger update, never a wrong one.
 *
 * Two finders: equal blocks anywhere, and anchors, which are places chosen by content, so that they move with it. The
 * anchor rule is the gear hash of FastCDC (Xia et al., USENIX ATC 2016, §3.2): after each byte h = 2h + table[byte], so
 * its top bits depend on the last 32 bytes alone.
 */
import { hash } from 'node:crypto';
import { blockBytes } from './limits.ts';

export interface Similarity {
  /** A block of the base that equals this block; `preferred` if that one does. */
  equalBlock(block: Uint8Array, preferred?: number): number | undefined;
  /** Blocks of the base that share content with `bytes`, each with how many anchors they share. */
  sharedBlocks(bytes: Uint8Array): ReadonlyMap<number, number>;
}

/** One place in 128 becomes an anchor. */
const anchorShift = 25;
const windowBytes = 32;

export const similarityTo = (base: Uint8Array): Similarity => {
  const blocks = new Map<string, number>();
  const digests: string[] = [];
  for (let block = 0; block * blockBytes < base.length; block += 1) {
    const digest = digestOf(base.subarray(block * blockBytes, (block + 1) * blockBytes));
    digests.push(digest);
    if (!blocks.has(digest)) blocks.set(digest, block);
  }
  const anchors = new Map<number, number>();
  eachAnchor(base, (key, offset) => {
    if (!anchors.has(key)) anchors.set(key, Math.floor(offset / blockBytes));
  });
  return {
    equalBlock(block, preferred) {
      const digest = digestOf(block);
      return preferred !== undefined && digests[preferred] === digest ? preferred : blocks.get(digest);
    },
    sharedBlocks(bytes) {
      const votes = new Map<number, number>();
      eachAnchor(bytes, (key) => {
        const block = anchors.get(key);
        if (block !== undefined) votes.set(block, (votes.get(block) ?? 0) + 1);
      });
      return votes;
    },
  };
};

const digestOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'binary');

/** Fixed, so that the same images give the same update. */
const gear = Uint32Array.from({ length: 256 }, (_, byte) =>
  Buffer.from(hash('sha256', `enigm-gear ${byte}`, 'buffer')).readUInt32BE(0),
);

const eachAnchor = (bytes: Uint8Array, found: (key: number, offset: number) => void): void => {
  let gearHash = 0;
  for (let offset = 0; offset < bytes.length; offset += 1) {
    gearHash = ((gearHash << 1) + (gear[bytes[offset] as number] as number)) | 0;
    if (gearHash >>> anchorShift === 0 && offset >= windowBytes) found(keyAt(bytes, offset), offset);
  }
};

/** FNV-1a over the window: the gear hash itself has few free bits left at an anchor. */
const keyAt = (bytes: Uint8Array, end: number): number => {
  let key = 0x811c9dc5;
  for (let offset = end - windowBytes + 1; offset <= end; offset += 1)
    key = Math.imul(key ^ (bytes[offset] as number), 0x01000193);
  return key;
};
