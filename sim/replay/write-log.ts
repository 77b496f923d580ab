/**
 * The log of a medium's writes, in the order in which they were noted.
 *
 * Source: QEMU `block/blklogwrites.c`, which writes the format of Linux `drivers/md/dm-log-writes.c`. A superblock: magic(8) ‖
 * version(8) ‖ entries(8) ‖ sector size(4). Then for each entry a sector with sector(8) ‖ sectors(8) ‖ flags(8) ‖ bytes
 * behind the flags(8), and what was written. Numbers are little-endian.
 *
 * The superblock is written at a flush and every 4096 entries, so there may be more entries than it says, never fewer.
 */
import { deny, ok, type Result } from '#hal/core/result';
import { sectorBytes } from '#sim/image/gpt';
import type { ByteSource } from './byte-source.ts';

export interface LoggedWrite {
  readonly sector: number;
  /** None of a flush alone. */
  readonly sectors: number;
  /** Whatever was written before it is durable once it is. */
  readonly isFlush: boolean;
  /** Where its data lie in the log, in sectors; undefined where it has none, as a discard. */
  readonly dataSector: number | undefined;
  /** Where it ends in the log. */
  readonly endBytes: number;
}

const magic = 0x6a_736677_736872n;
const version = 1n;
const flag = { flush: 1n, discard: 4n } as const;
/** And one for a write that is durable by itself, which no virtual disk of ours makes, and marks. */
const knownFlags = 0b1111n;

export const maxEntries = 4_000_000;
/** QEMU splits no request of a disk that is larger; a discard may be. */
export const maxSectorsOfWrite = 4 * 1024 * 1024;

/**
 * @param mediumSectors size of the medium: nothing may be written behind it
 * @returns all entries; none for an empty log; `protocol/malformed` for one that is no log, or torn; `resource/count-limit`
 */
export const readWriteLog = (log: ByteSource, mediumSectors: number): Result<readonly LoggedWrite[]> => {
  if (log.sizeBytes === 0) return ok([]);
  const bad = (what: string) => deny('protocol', 'malformed', `log of writes: ${what}`);
  if (log.sizeBytes < sectorBytes) return bad('no superblock');
  const first = viewOf(log.read(0, sectorBytes));
  if (first.getBigUint64(0, true) !== magic || first.getBigUint64(8, true) !== version) return bad('another format');
  if (first.getUint32(24, true) !== sectorBytes) return bad('another sector size');
  const promised = first.getBigUint64(16, true);

  const entries: LoggedWrite[] = [];
  for (let at = sectorBytes; at < log.sizeBytes; ) {
    if (entries.length === maxEntries) return deny('resource', 'count-limit', `more than ${maxEntries} writes`);
    const what = `entry ${entries.length}`;
    if (at + sectorBytes > log.sizeBytes) return bad(`${what} is torn`);
    const head = viewOf(log.read(at, entryBytes));
    const [sector, sectors, flags] = [0, 8, 16].map((offset) => head.getBigUint64(offset, true)) as [bigint, bigint, bigint];
    if (flags > knownFlags || sectors > maxSectorsOfWrite) return bad(`${what} is none`);
    if (sectors === 0n && flags === 0n) return bad(`${what} is empty`);
    if (sector + sectors > mediumSectors) return bad(`${what} lies behind the medium`);
    const hasData = (flags & flag.discard) === 0n && sectors > 0n;
    const dataAt = at + sectorBytes;
    const endBytes = dataAt + (hasData ? Number(sectors) * sectorBytes : 0);
    if (endBytes > log.sizeBytes) return bad(`${what} is torn`);
    entries.push({
      ...{ sector: Number(sector), sectors: Number(sectors), isFlush: (flags & flag.flush) !== 0n },
      ...{ dataSector: hasData ? dataAt / sectorBytes : undefined, endBytes },
    });
    at = endBytes;
  }
  return promised > entries.length ? bad(`${entries.length} of ${promised} entries`) : ok(entries);
};

const entryBytes = 32;
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
