/** One block of an image, proved by the blocks of the hash tree above it: what dm-verity does at each read. */
import { equalBytes } from '#hal/core/bytes';
import { deny, type Result } from '#hal/core/result';
import type { BlockDevice } from '#hal/ports/block-device';
import { blockBytes } from './limits.ts';
import { hashBytes, hashesPerBlock, levelsOf, saltedHash, saltOf } from './verity.ts';

/**
 * @param device image first, hash area behind it; the salt is taken from there, since the root decides
 * @param block of 4 KiB, from the start of the image
 * @returns the block; `integrity/read-back-mismatch` where the tree does not lead from it to the root; a fault of the device
 */
export const readProved = async (
  device: Pick<BlockDevice, 'read'>,
  imageBytes: number,
  root: Uint8Array,
  block: number,
): Promise<Result<Uint8Array>> => {
  const superblock = await device.read(imageBytes, blockBytes);
  if (!superblock.ok) return superblock;
  const wanted = await device.read(block * blockBytes, blockBytes);
  if (!wanted.ok) return wanted;
  const hashBlock = saltedHash(saltOf(superblock.value));
  let digest = hashBlock(wanted.value, 0);
  let index = block;
  for (const { firstBlock } of levelsOf(imageBytes)) {
    const above = Math.floor(index / hashesPerBlock);
    const node = await device.read(imageBytes + (firstBlock + above) * blockBytes, blockBytes);
    if (!node.ok) return node;
    const at = (index % hashesPerBlock) * hashBytes;
    if (!equalBytes(digest, node.value.subarray(at, at + hashBytes))) return mismatch(block);
    digest = hashBlock(node.value, 0);
    index = above;
  }
  return equalBytes(digest, root) ? wanted : mismatch(block);
};

const mismatch = (block: number) => deny('integrity', 'read-back-mismatch', `block ${block}`);
