/** The disk of a machine: where its partitions lie, and the images that are written to them. */
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastSectors, type Partition, partitionTable, sectorBytes } from './gpt.ts';
import { buildTimeSeconds, runTool } from './tools.ts';

const espType = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
/** linux-generic of the Discoverable Partitions Specification. */
const dataType = '0fc63daf-8483-4772-8e79-3d69d8477de4';
const mebibyte = (1024 * 1024) / sectorBytes;

/** Of every machine of this class: the signed command line names the boot partitions of the slots. */
const uuidOf = (number: number): string => `656e6967-6d00-4000-8000-${String(number).padStart(12, '0')}`;
export const diskUuid = uuidOf(0);

export type PartitionName = 'recovery' | 'esp-a' | 'esp-b' | 'root-a' | 'root-b' | 'data' | 'ledger' | 'recovery-root';

interface Planned {
  readonly name: PartitionName;
  readonly type: string;
  readonly mebibytes: number;
}

/**
 * Recovery is the first entry: a machine that lost its boot entries starts the first partition that has an image
 * (measured of OVMF), and that must be one that decides nothing by itself.
 */
const plan: readonly Planned[] = [
  { name: 'recovery', type: espType, mebibytes: 48 },
  { name: 'esp-a', type: espType, mebibytes: 48 },
  { name: 'esp-b', type: espType, mebibytes: 48 },
  { name: 'root-a', type: dataType, mebibytes: 192 },
  { name: 'root-b', type: dataType, mebibytes: 192 },
  { name: 'data', type: dataType, mebibytes: 96 },
  { name: 'ledger', type: dataType, mebibytes: 1 },
  { name: 'recovery-root', type: dataType, mebibytes: 96 },
];
/** A slot's boot image: smaller than its partition, so that the table can stay when an image grows. */
const espMebibytes = 40;

export const partitions: readonly (Partition & { readonly name: PartitionName })[] = plan.map(
  ({ name, type, mebibytes }, index) => ({
    name,
    type,
    uuid: uuidOf(index + 1),
    startSector: mebibyte + plan.slice(0, index).reduce((sum, before) => sum + before.mebibytes * mebibyte, 0),
    sectors: mebibytes * mebibyte,
  }),
);
export const diskSectors = mebibyte * (plan.reduce((sum, { mebibytes }) => sum + mebibytes, 0) + 2);

export const partitionNamed = (name: PartitionName): (typeof partitions)[number] => {
  const found = partitions.find((partition) => partition.name === name);
  if (found === undefined) throw new Error(`no partition ${name}`);
  return found;
};

/** A FAT file system with one boot image in it. The same image gives the same bytes. */
export const bootFileSystem = async (image: Uint8Array): Promise<Uint8Array> => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-esp-'));
  try {
    const file = join(folder, 'esp.img');
    writeFileSync(file, '');
    truncateSync(file, espMebibytes * 1024 * 1024);
    writeFileSync(join(folder, 'BOOTX64.EFI'), image);
    // Without a label, which would bear the time of the build.
    await runTool('makeFat', ['-F', '32', '-i', buildTimeSeconds.toString(16).slice(0, 8), file]);
    await runTool('makeDirectory', ['-i', file, '::EFI', '::EFI/BOOT']);
    await runTool('copyIn', ['-i', file, join(folder, 'BOOTX64.EFI'), '::EFI/BOOT/']);
    return new Uint8Array(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Writes a sparse file: table and contents; partitions that are not named are empty. */
export const writeDisk = (path: string, contents: Readonly<Partial<Record<PartitionName, Uint8Array>>>): void => {
  rmSync(path, { force: true });
  const disk = openSync(path, 'w');
  try {
    ftruncateSync(disk, diskSectors * sectorBytes);
    const table = partitionTable(diskUuid, diskSectors, partitions);
    writeSync(disk, table.first, 0, table.first.length, 0);
    writeSync(disk, table.last, 0, table.last.length, (diskSectors - lastSectors) * sectorBytes);
    for (const { name, startSector, sectors } of partitions) {
      const bytes = contents[name];
      if (bytes === undefined) continue;
      if (bytes.length > sectors * sectorBytes) throw new Error(`${name}: ${bytes.length} bytes do not fit`);
      writeSparse(disk, bytes, startSector * sectorBytes);
    }
  } finally {
    closeSync(disk);
  }
};

const chunkBytes = 64 * 1024;
const writeSparse = (disk: number, bytes: Uint8Array, offset: number): void => {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes);
    if (chunk.some((byte) => byte !== 0)) writeSync(disk, chunk, 0, chunk.length, offset + at);
  }
};
