/**
 * Segments out of the running slot. What is copied within the device does not go by way of the mind: it says which blocks
 * and which hash, and nothing is written that has another. The whole slot is read back later all the same.
 */
import { equalBytes } from '#hal/core/bytes';
import { inTurn } from '#hal/core/in-turn';
import { pageMemory } from '#hal/core/page-memory';
import { ok, type Result } from '#hal/core/result';
import type { RunningSystem, TakenSegment } from '#hal/ports/updater';
import { blockBytes, segmentBytes } from '../payload/limits.ts';
import { sha256 } from '../payload/segment-index.ts';
import type { Installer } from './installer.ts';

/** As `SlotWriter.take`, of whoever owns the install. */
export type Take = (first: number, wanted: readonly TakenSegment[]) => Promise<Result<number>>;

type Running = Pick<RunningSystem, 'read'>;

/** @param windowBytes of the installer: so much is written at once, as each read and each write costs a turn of another thread */
export const taker = (writer: Pick<Installer, 'write'>, running: Running, windowBytes: number): Take => {
  const atOnce = Math.max(1, Math.floor(windowBytes / segmentBytes));
  /** Kept, since the kernel zeroes each page of new memory. */
  let memory: Uint8Array | undefined;
  const take: Take = async (first, wanted) => {
    memory ??= pageMemory(atOnce * segmentBytes);
    for (let taken = 0; taken < wanted.length; ) {
      const run = wanted.slice(taken, taken + atOnce);
      const { segments, bytes } = await gathered(running, run, memory);
      if (segments > 0) {
        const written = await writer.write(first + taken, bytes);
        if (!written.ok) return written;
      }
      taken += segments;
      if (segments < run.length) return ok(taken);
    }
    return ok(wanted.length);
  };
  // One at a time: a second one would read into the memory whose bytes the first has verified and not written yet.
  const exclusive = inTurn();
  return (first, wanted) => exclusive(() => take(first, wanted));
};

/** @returns as many as have their digests, side by side; the last segment of an image, which is shorter, ends them */
const gathered = async (
  running: Running,
  run: readonly TakenSegment[],
  memory: Uint8Array,
): Promise<{ readonly segments: number; readonly bytes: Uint8Array }> => {
  const lengths = lengthsOf(run);
  const readable = await readParts(running, partsOf(run.slice(0, lengths.length)), memory);
  let [segments, used] = [0, 0];
  for (const lengthBytes of lengths) {
    const bytes = memory.subarray(used, used + lengthBytes);
    const { digest } = run[segments] as TakenSegment;
    if (used + lengthBytes > readable || !equalBytes(sha256(bytes), digest)) break;
    segments += 1;
    used += lengthBytes;
  }
  return { segments, bytes: memory.subarray(0, used) };
};

/** Of as many as can lie side by side: none that is longer than a segment, and none behind a shorter one. */
const lengthsOf = (run: readonly TakenSegment[]): readonly number[] => {
  const lengths = run.map(({ ranges }) =>
    ranges.length === 0 ? segmentBytes : ranges.reduce((total, { blocks }) => total + blocks * blockBytes, 0),
  );
  const longer = lengths.findIndex((length) => length > segmentBytes);
  const shorter = lengths.findIndex((length) => length < segmentBytes);
  return lengths.slice(0, Math.min(longer < 0 ? lengths.length : longer, shorter < 0 ? lengths.length : shorter + 1));
};

/** What is read at once; of zeros there is no place. */
interface Part {
  readonly offsetBytes: number | undefined;
  readonly lengthBytes: number;
}

/** Neighbours in the running slot are read together. */
const partsOf = (run: readonly TakenSegment[]): readonly Part[] => {
  const parts: Part[] = [];
  for (const { ranges } of run) {
    if (ranges.length === 0) parts.push({ offsetBytes: undefined, lengthBytes: segmentBytes });
    for (const { block, blocks } of ranges) {
      const [offsetBytes, lengthBytes] = [block * blockBytes, blocks * blockBytes];
      const last = parts.at(-1);
      const isNext = last?.offsetBytes !== undefined && last.offsetBytes + last.lengthBytes === offsetBytes;
      if (isNext) parts[parts.length - 1] = { ...last, lengthBytes: last.lengthBytes + lengthBytes };
      else parts.push({ offsetBytes, lengthBytes });
    }
  }
  return parts;
};

/** @returns how many bytes there are; what lies behind them cannot be read */
const readParts = async (running: Running, parts: readonly Part[], memory: Uint8Array): Promise<number> => {
  let used = 0;
  for (const { offsetBytes, lengthBytes } of parts) {
    const place = memory.subarray(used, used + lengthBytes);
    if (offsetBytes === undefined) place.fill(0);
    else {
      const read = await running.read(offsetBytes, lengthBytes, place);
      if (!read.ok) return used;
      if (read.value.buffer !== memory.buffer) place.set(read.value);
    }
    used += lengthBytes;
  }
  return used;
};
