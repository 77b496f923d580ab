/**
 * Segments out of the running slot. What is copied within the device does not go by way of the mind: it says which blocks
 * and which hashes, and nothing is written that has another. The whole slot is read back later all the same.
 */
import { equalBytes } from '#hal/core/bytes';
import { inTurn } from '#hal/core/in-turn';
import { pageMemory } from '#hal/core/page-memory';
import { deny, ok, type Result } from '#hal/core/result';
import { maxTakenSegments, type RunningSystem, type TakenRange, type TakenRun } from '#hal/ports/updater';
import { blockBytes, segmentBytes } from '../payload/limits.ts';
import { sha256 } from '../payload/segment-index.ts';
import { hashBytes } from '../payload/verity.ts';
import type { Installer } from './installer.ts';

/** As `SlotWriter.take`, of whoever owns the install. */
export type Take = (first: number, wanted: TakenRun) => Promise<Result<number>>;

type Running = Pick<RunningSystem, 'read'>;

const segmentBlocks = segmentBytes / blockBytes;

/** @param windowBytes of the installer: so much is written at once, as each read and each write costs a turn of another thread */
export const taker = (writer: Pick<Installer, 'write'>, running: Running, windowBytes: number): Take => {
  const atOnce = Math.max(1, Math.floor(windowBytes / segmentBytes));
  /** Kept, since the kernel zeroes each page of new memory. */
  let memory: Uint8Array | undefined;
  const take = async (first: number, { digests, ranges }: TakenRun): Promise<Result<number>> => {
    const segments = digests.length / hashBytes;
    const blocks = blocksOf(ranges);
    if (segments > maxTakenSegments || Math.ceil(blocks / segmentBlocks) !== segments)
      return deny('protocol', 'field-invalid', `${blocks} blocks for ${segments} segments`);
    memory ??= pageMemory(atOnce * segmentBytes);
    let taken = 0;
    for (const window of windowsOf(ranges, atOnce * segmentBlocks)) {
      const readable = await readRanges(running, window, memory);
      const lengthBytes = blocksOf(window) * blockBytes;
      const good = goodBytes(memory.subarray(0, lengthBytes), readable, digests.subarray(taken * hashBytes));
      if (good > 0) {
        const written = await writer.write(first + taken, memory.subarray(0, good));
        if (!written.ok) return written;
      }
      taken += Math.ceil(good / segmentBytes);
      if (good < lengthBytes) return ok(taken);
    }
    return ok(taken);
  };
  // One at a time: a second one would read into the memory whose bytes the first has verified and not written yet.
  const exclusive = inTurn();
  return (first, wanted) => exclusive(() => take(first, wanted));
};

const blocksOf = (ranges: readonly TakenRange[]): number => ranges.reduce((total, { blocks }) => total + blocks, 0);

/** The same ranges, cut where a window is full. */
const windowsOf = (ranges: readonly TakenRange[], mostBlocks: number): readonly (readonly TakenRange[])[] => {
  const windows: TakenRange[][] = [];
  let room = 0;
  for (const { block, blocks } of ranges)
    for (let cut = 0; cut < blocks; ) {
      if (room === 0) {
        windows.push([]);
        room = mostBlocks;
      }
      const piece = Math.min(room, blocks - cut);
      windows.at(-1)?.push(block === undefined ? { blocks: piece } : { block: block + cut, blocks: piece });
      room -= piece;
      cut += piece;
    }
  return windows;
};

/** @returns how many bytes there are; what lies behind them cannot be read */
const readRanges = async (running: Running, ranges: readonly TakenRange[], memory: Uint8Array): Promise<number> => {
  let used = 0;
  for (const { block, blocks } of ranges) {
    const place = memory.subarray(used, used + blocks * blockBytes);
    if (block === undefined) place.fill(0);
    else {
      const read = await running.read(block * blockBytes, place.length, place);
      if (!read.ok) return used;
      if (read.value.buffer !== memory.buffer) place.set(read.value);
    }
    used += place.length;
  }
  return used;
};

/** @returns as many bytes as are segments with their digests, from the first on */
const goodBytes = (bytes: Uint8Array, readable: number, digests: Uint8Array): number => {
  for (let used = 0; used < bytes.length; used += segmentBytes) {
    const segment = bytes.subarray(used, used + segmentBytes);
    const at = (used / segmentBytes) * hashBytes;
    if (used + segment.length > readable || !equalBytes(sha256(segment), digests.subarray(at, at + hashBytes))) return used;
  }
  return bytes.length;
};
