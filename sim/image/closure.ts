/** Shared libraries that programs need, found as the loader would find them: by the names that ELF files carry. */
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runTool } from './tools.ts';

/** Where Debian keeps them (multiarch), in the order of ld.so. */
const folders = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'lib64'] as const;
const loader = 'lib64/ld-linux-x86-64.so.2';

/**
 * @param base folder of the unpacked packages
 * @param programs whole paths of files whose needs are looked up, which may lie elsewhere
 * @returns paths of libraries within the base, the loader among them, by the names under which they are looked up
 */
export const librariesOf = async (
  base: string,
  programs: readonly string[],
  byName: readonly string[] = [],
): Promise<readonly string[]> => {
  const found = new Set<string>([loader]);
  const waiting = [...programs, ...byName.map((name) => fileIn(base, libraryPath(base, name)))];
  for (const name of byName) found.add(libraryPath(base, name));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop())
    for (const name of await neededBy(file)) {
      const path = libraryPath(base, name);
      if (found.has(path)) continue;
      found.add(path);
      waiting.push(fileIn(base, path));
    }
  return [...found].toSorted();
};

const libraryPath = (base: string, name: string): string => {
  const folder = folders.find((candidate) => lstatSync(join(base, candidate, name), { throwIfNoEntry: false }) !== undefined);
  if (folder === undefined) throw new Error(`no package of the base has ${name}`);
  return join(folder, name);
};

const neededBy = async (file: string): Promise<readonly string[]> =>
  [...(await runTool('readelf', ['-d', file])).matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name);

/** @returns the whole path of the file that a path of the base leads to, whatever links are on the way */
export const fileIn = (base: string, path: string): string => {
  const whole = join(base, path);
  if (!lstatSync(whole).isSymbolicLink()) return whole;
  const target = readlinkSync(whole);
  return fileIn(base, target.startsWith('/') ? target.slice(1) : join(dirname(path), target));
};
