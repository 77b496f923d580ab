/** The partitions of a disk as firmware finds them: by the first table that is whole (UEFI 2.10 §5.3.2). */
import { crc32 } from 'node:zlib';
import { guidText } from '#hal/core/guid';
import { deny, ok, type Result } from '#hal/core/result';
import { sectorBytes } from '#sim/image/gpt';
import type { ByteSource } from './byte-source.ts';

export interface FoundPartition {
  readonly name: string;
  /** In lower case. */
  readonly uuid: string;
  readonly startSector: number;
  readonly sectors: number;
}

const headerBytes = 92;
const entryBytes = 128;
export const maxPartitions = 128;

/** @returns partitions in the order of their numbers; `protocol/malformed` where both tables are spoilt */
export const readPartitions = (disk: ByteSource): Result<readonly FoundPartition[]> => {
  const sectors = Math.floor(disk.sizeBytes / sectorBytes);
  return tableAt(disk, 1, sectors) ?? tableAt(disk, sectors - 1, sectors) ?? deny('protocol', 'malformed', 'no partition table');
};

const tableAt = (disk: ByteSource, sector: number, diskSectors: number): Result<readonly FoundPartition[]> | undefined => {
  const header = disk.read(sector * sectorBytes, sectorBytes);
  const view = viewOf(header);
  const number = (at: number) => Number(view.getBigUint64(at, true));
  if (Buffer.from(header.subarray(0, 8)).toString('latin1') !== 'EFI PART' || view.getUint32(12, true) !== headerBytes)
    return undefined;
  const unsummed = header.slice(0, headerBytes);
  unsummed.fill(0, 16, 20);
  if (crc32(unsummed) !== view.getUint32(16, true) || number(24) !== sector) return undefined;
  const count = view.getUint32(80, true);
  if (count > maxPartitions || view.getUint32(84, true) !== entryBytes || number(72) >= diskSectors) return undefined;
  const entries = disk.read(number(72) * sectorBytes, count * entryBytes);
  if (crc32(entries) !== view.getUint32(88, true)) return undefined;
  const found = Array.from({ length: count }, (_, index) => entries.subarray(index * entryBytes, (index + 1) * entryBytes))
    .filter((entry) => entry.subarray(0, 16).some((byte) => byte !== 0))
    .map(partitionOf);
  const isInside = ({ startSector, sectors }: FoundPartition) => sectors > 0 && startSector + sectors <= diskSectors;
  return found.every(isInside) ? ok(found) : undefined;
};

const partitionOf = (entry: Uint8Array): FoundPartition => {
  const [first, last] = [32, 40].map((at) => Number(viewOf(entry).getBigUint64(at, true))) as [number, number];
  return {
    name: Buffer.from(entry.subarray(56)).toString('utf16le').replace(/\0.*$/s, ''),
    uuid: guidText(entry.subarray(16, 32)),
    startSector: first,
    sectors: last - first + 1,
  };
};

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
