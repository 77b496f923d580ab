/** A medium as it was at the start of a log, with some of the writes of the log on it; nothing is copied to read it. */

import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { done, type Result } from '#hal/core/result';
import { linuxCommands } from '#hal/linux/commands';
import { sectorBytes } from '#sim/image/gpt';
import type { ByteSource } from './byte-source.ts';
import type { Survivor } from './cut.ts';

export interface ReplayedMedium extends ByteSource {
  /** Where the sectors of a part come from, as one word: the same word, the same bytes. */
  sameAs(startSector: number, sectors: number): string;
}

/**
 * @param base whole sectors of it
 * @param log where the data of the writes are
 * @param writes in the order in which they were written, each within the medium
 */
export const replayedMedium = (base: ByteSource, log: ByteSource, writes: readonly Survivor[]): ReplayedMedium => {
  /** For each sector where it lies in the log; 0, where the superblock is, for one that was not written. */
  const places = new Uint32Array(base.sizeBytes / sectorBytes);
  for (const { write, sectors } of writes)
    for (let index = 0; index < sectors; index += 1) places[write.sector + index] = (write.dataSector ?? 0) + index;

  /** So many sectors from `first` on that lie one behind the other in one place. */
  const run = (first: number, limit: number): number => {
    const place = places[first] ?? 0;
    let count = 1;
    while (count < limit && places[first + count] === (place === 0 ? 0 : place + count)) count += 1;
    return count;
  };
  return {
    sizeBytes: base.sizeBytes,
    read(offsetBytes, lengthBytes) {
      const firstSector = Math.floor(offsetBytes / sectorBytes);
      const endSector = Math.ceil((offsetBytes + lengthBytes) / sectorBytes);
      const read = new Uint8Array((endSector - firstSector) * sectorBytes);
      for (let at = firstSector; at < endSector; ) {
        const count = run(at, endSector - at);
        const place = places[at] ?? 0;
        const bytes = (place === 0 ? base : log).read((place === 0 ? at : place) * sectorBytes, count * sectorBytes);
        read.set(bytes, (at - firstSector) * sectorBytes);
        at += count;
      }
      const start = offsetBytes - firstSector * sectorBytes;
      return read.subarray(start, start + lengthBytes);
    },
    sameAs: (startSector, sectors) =>
      createHash('sha256')
        .update(places.subarray(startSector, startSector + sectors))
        .digest('base64'),
  };
};

/** As a file of its own, sparse. @param base file of the medium at the start: its blocks are shared where the file system can */
export const writeReplayed = async (
  path: string,
  base: string,
  log: ByteSource,
  writes: readonly Survivor[],
): Promise<Result<void>> => {
  const copied = await linuxCommands({ timeoutMs: 120_000 }).run('/bin/cp', ['--reflink=auto', '--sparse=always', base, path]);
  if (!copied.ok) return copied;
  const file = openSync(path, 'r+');
  try {
    for (const { write, sectors } of writes) {
      const bytes = log.read((write.dataSector ?? 0) * sectorBytes, sectors * sectorBytes);
      writeSync(file, bytes, 0, bytes.length, write.sector * sectorBytes);
    }
  } finally {
    closeSync(file);
  }
  return done;
};
