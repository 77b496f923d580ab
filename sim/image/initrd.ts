/** The first root: busybox, veritysetup, drivers, one script. */
import { readFileSync } from 'node:fs';
import { constants, zstdCompressSync } from 'node:zlib';
import { utf8 } from '#hal/core/bytes';
import type { Base } from './base.ts';
import { fileIn, librariesOf } from './closure.ts';
import { busyboxCommands, initrdModules, initrdPrograms } from './contents.ts';
import { cpioArchive, type Entry } from './cpio.ts';
import { modulesInOrder } from './modules.ts';

const level = 19;

/** @param script `/init`. @returns the archive, compressed with zstd, which Debian's kernel unpacks */
export const buildInitrd = async (base: Base, script: string): Promise<Uint8Array> => {
  const file = (path: string, isExecutable: boolean): Entry => ({
    ...{ is: 'file', path, isExecutable },
    bytes: new Uint8Array(readFileSync(fileIn(base.folder, path))),
  });
  const modules = await modulesInOrder(base, initrdModules);
  const programs = ['bin/busybox', ...initrdPrograms];
  const libraries = await librariesOf(
    base.folder,
    initrdPrograms.map((path) => fileIn(base.folder, path)),
  );
  const archive = cpioArchive([
    ...[...programs, ...libraries].map((path) => file(path, true)),
    ...modules.map((path) => file(path, false)),
    ...busyboxCommands.map((command): Entry => ({ is: 'link', path: `bin/${command}`, target: 'busybox' })),
    ...initrdPrograms.map((path): Entry => ({ is: 'link', path: `bin/${path.split('/').at(-1)}`, target: `/${path}` })),
    ...['proc', 'sys', 'dev', 'sysroot', 'run'].map((path): Entry => ({ is: 'directory', path })),
    { is: 'file', path: 'modules', bytes: utf8(`${modules.join('\n')}\n`), isExecutable: false },
    { is: 'file', path: 'init', bytes: utf8(script), isExecutable: true },
  ]);
  return new Uint8Array(zstdCompressSync(archive, { params: { [constants.ZSTD_c_compressionLevel]: level } }));
};
