/** One file of a FAT32 file system, by short names (Microsoft "FAT: General Overview of On-Disk Format" 1.03): as firmware finds it. */
import { deny, ok, type Result } from '#hal/core/result';
import type { ByteSource } from './byte-source.ts';

const entryBytes = 32;
const isFolder = 0x10;
/** A long name takes entries of its own, which have all of these. */
const isLongName = 0x0f;
const endOfChain = 0x0fff_fff8;
export const maxFileBytes = 64 * 1024 * 1024;
const maxFolderBytes = 1024 * 1024;

interface FileSystem {
  readonly clusterBytes: number;
  /** The file with cluster numbers, of 4 bytes each. */
  readonly table: DataView;
  readonly rootCluster: number;
  readonly cluster: (number: number) => Uint8Array;
}

/** @param path names of folders, then of the file. @returns its bytes; `protocol/malformed`, `unavailable/not-found`, `protocol/too-large` */
export const fatFile = (partition: ByteSource, path: readonly string[]): Result<Uint8Array> => {
  const opened = openFat(partition);
  if (!opened.ok) return opened;
  let place = { cluster: opened.value.rootCluster, bytes: maxFolderBytes, isFolder: true };
  for (const name of path) {
    if (!place.isFolder) return deny('unavailable', 'not-found', `${name} in a file`);
    const folder = chain(opened.value, place.cluster, maxFolderBytes);
    if (!folder.ok) return folder;
    const found = entryIn(folder.value, name);
    if (found === undefined) return deny('unavailable', 'not-found', name);
    place = found;
  }
  if (place.bytes > maxFileBytes) return deny('protocol', 'too-large', `${place.bytes} bytes`);
  const file = chain(opened.value, place.cluster, place.bytes);
  if (!file.ok) return file;
  return file.value.length < place.bytes ? bad('a file ends early') : ok(file.value.subarray(0, place.bytes));
};

const openFat = (partition: ByteSource): Result<FileSystem> => {
  const boot = viewOf(partition.read(0, 512));
  const [sectorBytes, clusterSectors] = [boot.getUint16(11, true), boot.getUint8(13)];
  if (boot.getUint16(510, true) !== 0xaa55 || sectorBytes !== 512 || clusterSectors === 0) return bad('no FAT32');
  const [reserved, tables, tableSectors] = [boot.getUint16(14, true), boot.getUint8(16), boot.getUint32(36, true)];
  const clusterBytes = clusterSectors * sectorBytes;
  const data = (reserved + tables * tableSectors) * sectorBytes;
  if (tables === 0 || tableSectors === 0 || data > partition.sizeBytes) return bad('tables behind the end');
  return ok({
    clusterBytes,
    table: viewOf(partition.read(reserved * sectorBytes, tableSectors * sectorBytes)),
    rootCluster: boot.getUint32(44, true),
    cluster: (number) => partition.read(data + (number - 2) * clusterBytes, clusterBytes),
  });
};

/** Clusters from the first on, until they end or there is enough of them. */
const chain = ({ table, clusterBytes, cluster }: FileSystem, first: number, limitBytes: number): Result<Uint8Array> => {
  const clusters: Uint8Array[] = [];
  for (let number = first; number < endOfChain && clusters.length * clusterBytes < limitBytes; ) {
    if (number < 2 || number * 4 + 4 > table.byteLength) return bad(`cluster ${number}`);
    clusters.push(cluster(number));
    number = table.getUint32(number * 4, true) & 0x0fff_ffff;
  }
  return ok(new Uint8Array(Buffer.concat(clusters)));
};

const entryIn = (folder: Uint8Array, name: string) => {
  const [stem = '', extension = ''] = name.toUpperCase().split('.');
  const wanted = stem.padEnd(8) + extension.padEnd(3);
  for (let at = 0; at + entryBytes <= folder.length && folder[at] !== 0; at += entryBytes) {
    const entry = viewOf(folder.subarray(at, at + entryBytes));
    const attributes = entry.getUint8(11);
    if (attributes === isLongName || Buffer.from(folder.subarray(at, at + 11)).toString('latin1') !== wanted) continue;
    return {
      cluster: (entry.getUint16(20, true) << 16) | entry.getUint16(26, true),
      bytes: entry.getUint32(28, true),
      isFolder: (attributes & isFolder) !== 0,
    };
  }
  return undefined;
};

const bad = (what: string) => deny('protocol', 'malformed', `FAT: ${what}`);
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
