/** Blocks of a base as ranges of it: how a recipe says them, and how they are read. */
import { ok, type Result } from '#hal/core/result';
import type { BlockDevice } from '#hal/ports/block-device';
import { blockBytes } from './limits.ts';
import { type Range, rangesBytes } from './recipe.ts';

export const rangesOf = (blocks: readonly number[]): readonly Range[] => {
  const ranges: { block: number; blocks: number }[] = [];
  for (const block of blocks) {
    const last = ranges.at(-1);
    if (last !== undefined && last.block + last.blocks === block) last.blocks += 1;
    else ranges.push({ block, blocks: 1 });
  }
  return ranges;
};

/** @returns memory of its own: the caller's; or a fault of the source */
export const readRanges = async (source: Pick<BlockDevice, 'read'>, ranges: readonly Range[]): Promise<Result<Uint8Array>> => {
  const memory = new Uint8Array(rangesBytes(ranges));
  let used = 0;
  for (const { block, blocks } of ranges) {
    const place = memory.subarray(used, used + blocks * blockBytes);
    const read = await source.read(block * blockBytes, place.length, place);
    if (!read.ok) return read;
    if (read.value.buffer !== memory.buffer) place.set(read.value);
    used += place.length;
  }
  return ok(memory);
};
