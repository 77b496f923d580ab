/**
 * The hash tree of dm-verity, built as the image goes by: format 1, SHA-256, blocks of 4 KiB, salt before data. Memory is
 * one block a level, whatever the size of the image.
 *
 * Source: Linux Documentation/admin-guide/device-mapper/verity.rst; layout and superblock of cryptsetup
 * `lib/verity/verity.c` and `verity_hash.c`, with which our bytes are compared (`verity.parts.test.ts`).
 */
import { hash } from 'node:crypto';
import { concat, equalBytes, u16le, u32le, utf8 } from '#hal/core/bytes';
import { pageMemory } from '#hal/core/page-memory';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { BlockDevice } from '#hal/ports/block-device';
import { blockBytes } from './limits.ts';

export interface VerityParameters {
  readonly imageBytes: number;
  /** At most 256 bytes. */
  readonly salt: Uint8Array;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
}

/** Neighbouring blocks of the tree, and where they go from the start of the hash area: behind the superblock. */
export interface TreeBlocks {
  readonly offsetBytes: number;
  readonly bytes: Uint8Array;
}

export interface VerityTree {
  /** The next bytes of the image, whole blocks. @returns the blocks of the tree that they complete */
  update(image: Uint8Array): readonly TreeBlocks[];
  /** After all of the image. @returns the last blocks and the root hash */
  finish(): { readonly blocks: readonly TreeBlocks[]; readonly root: Uint8Array };
}

export const maxSaltBytes = 256;
export const hashBytes = 32;
export const hashesPerBlock = blockBytes / hashBytes;
const superblockBytes = 512;

/**
 * Blocks of each level, from the leaves up. The levels lie on the medium from the root down, after the block that holds
 * the superblock.
 */
export const levelsOf = (imageBytes: number): readonly { readonly blocks: number; readonly firstBlock: number }[] => {
  const counts: number[] = [];
  for (let below = imageBytes / blockBytes; below > 1; ) {
    below = Math.ceil(below / hashesPerBlock);
    counts.push(below);
  }
  return counts.map((blocks, level) => ({
    blocks,
    firstBlock: 1 + counts.slice(level + 1).reduce((total, count) => total + count, 0),
  }));
};

/** Bytes of superblock and tree together, which follow the image in its slot. */
export const hashAreaBytes = (imageBytes: number): number =>
  blockBytes * levelsOf(imageBytes).reduce((total, { blocks }) => total + blocks, 1);

/** SHA-256 of the salt and each block of 4 KiB, side by side. */
export type BlockDigests = (blocks: Uint8Array) => Uint8Array;

/** @param digestsOf whoever has a faster way than `saltedDigests` gives it */
export const verityTree = ({ imageBytes, salt }: VerityParameters, digestsOf = saltedDigests(salt)): VerityTree => {
  const levels = levelsOf(imageBytes).map((level) => ({ ...level, buffer: new Uint8Array(blockBytes), used: 0, next: 0 }));
  let root: Uint8Array | undefined;
  const emit = (level: number, out: TreeBlocks[]): void => {
    const at = levels[level];
    if (at === undefined) return;
    const bytes = at.buffer.slice();
    out.push({ offsetBytes: (at.firstBlock + at.next) * blockBytes, bytes });
    at.next += 1;
    at.used = 0;
    at.buffer.fill(0);
    put(level + 1, digestsOf(bytes), out);
  };
  const put = (level: number, digests: Uint8Array, out: TreeBlocks[]): void => {
    const at = levels[level];
    if (at === undefined) {
      root = digests;
      return;
    }
    for (let taken = 0; taken < digests.length; ) {
      const piece = digests.subarray(taken, taken + blockBytes - at.used);
      at.buffer.set(piece, at.used);
      at.used += piece.length;
      taken += piece.length;
      if (at.used === blockBytes) emit(level, out);
    }
  };
  return {
    update(image) {
      const out: TreeBlocks[] = [];
      put(0, digestsOf(image), out);
      return sideBySide(out);
    },
    finish() {
      const blocks: TreeBlocks[] = [];
      for (const [level, { used }] of levels.entries()) if (used > 0) emit(level, blocks);
      // The last block of a level may just have been filled by the one below.
      if (root === undefined) throw new Error('the hash tree was finished before its image');
      return { blocks: sideBySide(blocks), root: new Uint8Array(root) };
    },
  };
};

/** A write costs its writer more than the 4 KiB that it writes. */
const sideBySide = (blocks: readonly TreeBlocks[]): readonly TreeBlocks[] => {
  const runs: TreeBlocks[][] = [];
  for (const block of blocks.toSorted((one, other) => one.offsetBytes - other.offsetBytes)) {
    const before = runs.at(-1)?.at(-1);
    if (before !== undefined && before.offsetBytes + before.bytes.length === block.offsetBytes) runs.at(-1)?.push(block);
    else runs.push([block]);
  }
  return runs.map((run) => ({ offsetBytes: run[0]?.offsetBytes ?? 0, bytes: concat(...run.map(({ bytes }) => bytes)) }));
};

/** Of a superblock that somebody wrote: `veritySuperblock` says where it has it. Believed by nobody before a root fits. */
export const saltOf = (superblock: Uint8Array): Uint8Array => {
  const saltBytes = new DataView(superblock.buffer, superblock.byteOffset).getUint16(saltSizeOffset, true);
  return superblock.slice(saltOffset, saltOffset + Math.min(maxSaltBytes, saltBytes));
};
const saltSizeOffset = 80;
const saltOffset = 88;

/** One native call for each block: salt and block side by side in one buffer. */
export const saltedHash = (salt: Uint8Array) => {
  const scratch = new Uint8Array(salt.length + blockBytes);
  scratch.set(salt);
  return (bytes: Uint8Array, offset: number): Uint8Array => {
    scratch.set(bytes.subarray(offset, offset + blockBytes), salt.length);
    return hash('sha256', scratch, 'buffer');
  };
};

export const saltedDigests = (salt: Uint8Array): BlockDigests => {
  const hashBlock = saltedHash(salt);
  return (blocks) => {
    const digests = new Uint8Array((blocks.length / blockBytes) * hashBytes);
    for (let block = 0; block * blockBytes < blocks.length; block += 1)
      digests.set(hashBlock(blocks, block * blockBytes), block * hashBytes);
    return digests;
  };
};

/** `struct verity_sb` of cryptsetup, little-endian, in the first block of the hash area. */
export const veritySuperblock = ({ imageBytes, salt, uuid }: VerityParameters): Uint8Array => {
  const algorithm = new Uint8Array(32);
  algorithm.set(utf8('sha256'));
  const paddedSalt = new Uint8Array(maxSaltBytes);
  paddedSalt.set(salt);
  const dataBlocks = new Uint8Array(8);
  new DataView(dataBlocks.buffer).setBigUint64(0, BigInt(imageBytes / blockBytes), true);
  const head = concat(
    utf8('verity\0\0'),
    u32le(1), // version of the superblock
    u32le(1), // hash type: 1, salt first
    uuid,
    algorithm,
    u32le(blockBytes),
    u32le(blockBytes),
    dataBlocks,
    u16le(salt.length),
    new Uint8Array(6),
    paddedSalt,
  );
  const block = new Uint8Array(blockBytes);
  block.set(head.subarray(0, superblockBytes));
  return block;
};

/**
 * Read superblock and tree back: each block must have the hash that the block above says, up to the root.
 * @param device image first, hash area behind it
 * @param digestsOf as of `verityTree`
 * @returns nothing, `integrity/read-back-mismatch`, or a fault of the device
 */
export const checkHashArea = async (
  device: Pick<BlockDevice, 'read'>,
  parameters: VerityParameters,
  root: Uint8Array,
  digestsOf = saltedDigests(parameters.salt),
): Promise<Result<void>> => {
  const { imageBytes } = parameters;
  const superblock = await device.read(imageBytes, blockBytes);
  if (!superblock.ok) return superblock;
  if (!equalBytes(superblock.value, veritySuperblock(parameters))) return mismatch('superblock');
  const levels = levelsOf(imageBytes);
  const memory = pageMemory(hashesPerBlock * blockBytes);
  for (let level = levels.length - 1; level >= 0; level -= 1) {
    const { blocks, firstBlock } = levels[level] ?? { blocks: 0, firstBlock: 0 };
    const parent = levels[level + 1];
    // All that one block above says, at once.
    for (let first = 0; first < blocks; first += hashesPerBlock) {
      const count = Math.min(hashesPerBlock, blocks - first);
      const above =
        parent === undefined
          ? ok(root)
          : await device.read(imageBytes + (parent.firstBlock + first / hashesPerBlock) * blockBytes, blockBytes);
      if (!above.ok) return above;
      const read = await device.read(imageBytes + (firstBlock + first) * blockBytes, count * blockBytes, memory);
      if (!read.ok) return read;
      if (!equalBytes(digestsOf(read.value), above.value.subarray(0, count * hashBytes)))
        return mismatch(`level ${level}, block ${first} or behind it`);
    }
  }
  return done;
};

const mismatch = (where: string) => deny('integrity', 'read-back-mismatch', `hash tree: ${where}`);
