/**
 * What is copied within a device does not go by way of the mind: it says which blocks and which hash, and nothing is
 * written that has another. The whole slot is read back later all the same.
 */
import { equalBytes } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import type { RunningSystem, TakenSegment } from '#hal/ports/updater';
import { blockBytes, segmentBytes } from '../payload/limits.ts';
import { sha256 } from '../payload/segment-index.ts';
import type { Installer } from './installer.ts';

/** @returns how many are written; the next of them is not what it should be, or cannot be read */
export const takeSegments = async (
  installer: Pick<Installer, 'write'>,
  running: Pick<RunningSystem, 'read'>,
  first: number,
  wanted: readonly TakenSegment[],
): Promise<Result<number>> => {
  const memory = new Uint8Array(segmentBytes);
  for (const [at, { digest, ranges }] of wanted.entries()) {
    const bytes = await gathered(running, ranges, memory);
    if (bytes === undefined || !equalBytes(sha256(bytes), digest)) return ok(at);
    const written = await installer.write(first + at, bytes);
    if (!written.ok) return written;
  }
  return ok(wanted.length);
};

/** @returns nothing where the blocks cannot be read, or are more than a segment */
const gathered = async (
  running: Pick<RunningSystem, 'read'>,
  ranges: TakenSegment['ranges'],
  memory: Uint8Array,
): Promise<Uint8Array | undefined> => {
  if (ranges.length === 0) return zeros;
  const lengthBytes = ranges.reduce((total, { blocks }) => total + blocks * blockBytes, 0);
  if (lengthBytes > segmentBytes) return undefined;
  let used = 0;
  for (const { block, blocks } of ranges) {
    const place = memory.subarray(used, used + blocks * blockBytes);
    const read = await running.read(block * blockBytes, blocks * blockBytes, place);
    if (!read.ok) return undefined;
    if (read.value.buffer !== memory.buffer) place.set(read.value);
    used += place.length;
  }
  return memory.subarray(0, used);
};
const zeros = new Uint8Array(segmentBytes);
