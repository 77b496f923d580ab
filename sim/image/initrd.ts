/** A first root: busybox, a program of ours, drivers, one script. */
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { utf8 } from '#hal/core/bytes';
import type { Base } from './base.ts';
import { fileIn } from './closure.ts';
import { busyboxCommands, driverWords, type InitrdContents, slotContents } from './contents.ts';
import { cpioArchive, type Entry } from './cpio.ts';
import { modulesInOrder } from './modules.ts';

const level = 19;

export interface FirstRoot {
  /** `/init`. */
  readonly script: string;
  /** What `first-root.c` was compiled to, a path. */
  readonly program: string;
  readonly contents?: InitrdContents;
  /** More, by path, each in a folder of its own name. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
}

/** @returns the archive, compressed with zstd, which Debian's kernel unpacks */
export const buildInitrd = async (
  base: Base,
  { script, program, contents = slotContents, files = new Map() }: FirstRoot,
): Promise<Uint8Array> => {
  const file = (path: string, bytes: Uint8Array, isExecutable = false): Entry => ({ is: 'file', path, bytes, isExecutable });
  const ofBase = (path: string) => new Uint8Array(readFileSync(fileIn(base.folder, path)));
  const directory = (path: string): Entry => ({ is: 'directory', path });
  const modules = await modulesInOrder(base, contents.modules);
  const later = (await modulesInOrder(base, contents.laterModules ?? [])).filter((path) => !modules.includes(path));
  const archive = cpioArchive([
    file('bin/busybox', ofBase('bin/busybox'), true),
    file('bin/first-root', new Uint8Array(readFileSync(program)), true),
    ...[...modules, ...later].map((path) => file(path, ofBase(path))),
    ...busyboxCommands.map((command): Entry => ({ is: 'link', path: `bin/${command}`, target: 'busybox' })),
    ...['proc', 'sys', 'dev', 'sysroot', 'run'].map(directory),
    ...[...new Set([...files.keys()].map(dirname))].map(directory),
    ...[...files].map(([path, bytes]) => file(path, bytes)),
    file('modules', loadList(modules)),
    ...(later.length === 0 ? [] : [file('modules-later', loadList(later))]),
    file('init', utf8(script), true),
  ]);
  return new Uint8Array(zstdCompressSync(archive, { params: { [constants.ZSTD_c_compressionLevel]: level } }));
};

/** For the first root, which loads one driver a line. */
const loadList = (modules: readonly string[]): Uint8Array => utf8(modules.map(loadLine).join(''));

const loadLine = (path: string): string => `${[path, driverWords.get(basename(path, '.ko')) ?? ''].join(' ').trim()}\n`;
