/** Images of one file system from sets of packages, with every time, name and seed of the file system fixed. */
import { existsSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex, utf8 } from '#hal/core/bytes';
import { sha256 } from '#ota-client/payload/segment-index';
import { downloadPackages } from './packages.ts';
import { outputOf } from './programs.ts';

export const fileSystems = ['ext4', 'erofs', 'erofs-lz4hc'] as const;
export type FileSystem = (typeof fileSystems)[number];

const uuid = '656e6967-6d00-4000-9000-0000000000b1';
/** Of everything in a file system. */
const builtSeconds = 1_767_225_600;
const ext4Bytes = 256 * 1024 * 1024;
/** Read by people, on another machine. */
const leftOut = ['usr/share/doc', 'usr/share/man', 'usr/share/info', 'usr/share/lintian', 'usr/share/locale'];

/** @returns the path of the image; made once for a set of packages */
export const imageOf = (cache: string, packages: readonly string[], fileSystem: FileSystem): string => {
  const id = toHex(sha256(utf8(packages.join('\n')))).slice(0, 16);
  const image = join(cache, `${id}.${fileSystem}`);
  if (existsSync(image)) return image;
  const tree = treeOf(cache, id, packages);
  const unfinished = `${image}.part`;
  rmSync(unfinished, { force: true });
  makers[fileSystem](tree, unfinished);
  renameSync(unfinished, image);
  return image;
};

const treeOf = (cache: string, id: string, packages: readonly string[]): string => {
  const tree = join(cache, `${id}.tree`);
  if (existsSync(tree)) return tree;
  const folder = join(cache, 'packages');
  mkdirSync(folder, { recursive: true });
  const unfinished = `${tree}.part`;
  rmSync(unfinished, { recursive: true, force: true });
  for (const file of downloadPackages(folder, packages)) outputOf('dpkg-deb', ['-x', file, unfinished]);
  for (const path of leftOut) rmSync(join(unfinished, path), { recursive: true, force: true });
  renameSync(unfinished, tree);
  return tree;
};

const erofs =
  (...words: readonly string[]) =>
  (tree: string, image: string): void => {
    outputOf('mkfs.erofs', ['--quiet', ...words, `-T${builtSeconds}`, '-U', uuid, '--all-root', image, tree]);
    // A slot holds whole blocks; so does what is written to it.
    truncateSync(image, Math.ceil(statSync(image).size / 4096) * 4096);
  };

const makers: Readonly<Record<FileSystem, (tree: string, image: string) => void>> = {
  ext4(tree, image) {
    writeFileSync(image, '');
    truncateSync(image, ext4Bytes);
    const features = '^has_journal,^resize_inode,^metadata_csum,^64bit';
    const fixed = ['-U', uuid, '-E', `hash_seed=${uuid},root_owner=0:0,lazy_itable_init=0`, '-O', features, '-N', '8192'];
    const variables = { E2FSPROGS_FAKE_TIME: String(builtSeconds) };
    outputOf('mkfs.ext4', ['-q', '-F', '-b', '4096', ...fixed, '-d', tree, image], { variables });
    // mkfs takes the times of inodes from the tree, where they say when it was unpacked.
    const inodes = Number(/Inode count:\s+(\d+)/.exec(outputOf('dumpe2fs', ['-h', image]))?.[1]);
    const free = Number(/Free inodes:\s+(\d+)/.exec(outputOf('dumpe2fs', ['-h', image]))?.[1]);
    const times = ['atime', 'ctime', 'mtime', 'crtime'].flatMap((time) => [time, `${time}_extra`]);
    const commands = Array.from({ length: inodes - free }, (_, at) =>
      times.map((field) => `sif <${at + 1}> ${field} ${field.endsWith('extra') ? 0 : `@${builtSeconds}`}`),
    );
    outputOf('debugfs', ['-w', '-f', '-', image], { variables, input: commands.flat().join('\n') });
  },
  erofs: erofs(),
  'erofs-lz4hc': erofs('-zlz4hc,9', '-C65536'),
};
