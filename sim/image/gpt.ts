/**
 * GUID partition tables (UEFI 2.10 §5.3), made whole: protective MBR, header, entries, and their copies at the end.
 */
import { crc32 } from 'node:zlib';
import { concat, u16le, u32le, u64le, utf8 } from '#hal/core/bytes';
import { guidBytes } from '#hal/core/guid';

export interface Partition {
  readonly name: string;
  /** GUID as text. */
  readonly type: string;
  readonly uuid: string;
  readonly startSector: number;
  readonly sectors: number;
}

export interface PartitionTable {
  /** Sectors 0 to 33. */
  readonly first: Uint8Array;
  /** The last 33 sectors. */
  readonly last: Uint8Array;
}

export const sectorBytes = 512;
const entryCount = 128;
const entryBytes = 128;
const entrySectors = (entryCount * entryBytes) / sectorBytes;
/** Sectors that the copy at the end takes. */
export const lastSectors = entrySectors + 1;

export const partitionTable = (diskUuid: string, diskSectors: number, partitions: readonly Partition[]): PartitionTable => {
  const entries = new Uint8Array(entryCount * entryBytes);
  for (const [index, { name, type, uuid, startSector, sectors }] of partitions.entries()) {
    const entry = concat(
      ...[guidBytes(type), guidBytes(uuid), u64le(startSector), u64le(startSector + sectors - 1), u64le(0)],
      new Uint8Array(Buffer.from(name, 'utf16le')),
    );
    entries.set(entry.subarray(0, entryBytes), index * entryBytes);
  }
  const header = (at: number, other: number, entriesAt: number): Uint8Array => {
    const fields = (check: number) =>
      concat(
        ...[utf8('EFI PART'), u32le(0x0001_0000), u32le(92), u32le(check), u32le(0), u64le(at), u64le(other)],
        ...[u64le(2 + entrySectors), u64le(diskSectors - lastSectors - 1), guidBytes(diskUuid), u64le(entriesAt)],
        ...[u32le(entryCount), u32le(entryBytes), u32le(crc32(entries))],
      );
    const sector = new Uint8Array(sectorBytes);
    sector.set(fields(crc32(fields(0))));
    return sector;
  };
  const lastHeader = diskSectors - 1;
  return {
    first: concat(protectiveRecord(diskSectors), header(1, lastHeader, 2), entries),
    last: concat(entries, header(lastHeader, 1, lastHeader - entrySectors)),
  };
};

/** UEFI 2.10 §5.2.3: one entry of type 0xEE over the whole disk. */
const protectiveRecord = (diskSectors: number): Uint8Array => {
  const sector = new Uint8Array(sectorBytes);
  sector.set([0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff], 446);
  sector.set(concat(u32le(1), u32le(Math.min(diskSectors - 1, 0xffff_ffff))), 454);
  sector.set(u16le(0xaa55), 510);
  return sector;
};
