/** A first root: busybox, a few programs, drivers, one script. */
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { utf8 } from '#hal/core/bytes';
import type { Base } from './base.ts';
import { fileIn, librariesOf } from './closure.ts';
import { busyboxCommands, driverWords, type InitrdContents, slotContents } from './contents.ts';
import { cpioArchive, type Entry } from './cpio.ts';
import { modulesInOrder } from './modules.ts';

const level = 19;

/**
 * @param script `/init`. @param files more, by path, each in a folder of its own name
 * @returns the archive, compressed with zstd, which Debian's kernel unpacks
 */
export const buildInitrd = async (
  base: Base,
  script: string,
  contents: InitrdContents = slotContents,
  files: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<Uint8Array> => {
  const file = (path: string, isExecutable: boolean): Entry => ({
    ...{ is: 'file', path, isExecutable },
    bytes: new Uint8Array(readFileSync(fileIn(base.folder, path))),
  });
  const modules = await modulesInOrder(base, contents.modules);
  const later = (await modulesInOrder(base, contents.laterModules ?? [])).filter((path) => !modules.includes(path));
  const programs = ['bin/busybox', ...contents.programs];
  const libraries = await librariesOf(
    base.folder,
    contents.programs.map((path) => fileIn(base.folder, path)),
  );
  const archive = cpioArchive([
    ...[...programs, ...libraries].map((path) => file(path, true)),
    ...[...modules, ...later].map((path) => file(path, false)),
    ...busyboxCommands.map((command): Entry => ({ is: 'link', path: `bin/${command}`, target: 'busybox' })),
    ...contents.programs.map((path): Entry => ({ is: 'link', path: `bin/${path.split('/').at(-1)}`, target: `/${path}` })),
    ...['proc', 'sys', 'dev', 'sysroot', 'run'].map((path): Entry => ({ is: 'directory', path })),
    ...[...new Set([...files.keys()].map(dirname))].map((path): Entry => ({ is: 'directory', path })),
    ...[...files].map(([path, bytes]): Entry => ({ is: 'file', path, bytes, isExecutable: false })),
    loadList('modules', modules),
    ...(later.length === 0 ? [] : [loadList('modules-later', later)]),
    { is: 'file', path: 'init', bytes: utf8(script), isExecutable: true },
  ]);
  return new Uint8Array(zstdCompressSync(archive, { params: { [constants.ZSTD_c_compressionLevel]: level } }));
};

/** For the first root, which loads one driver a line. */
const loadList = (path: string, modules: readonly string[]): Entry => ({
  ...{ is: 'file', path, isExecutable: false },
  bytes: utf8(modules.map(loadLine).join('')),
});

const loadLine = (path: string): string => `${[path, driverWords.get(basename(path, '.ko')) ?? ''].join(' ').trim()}\n`;
