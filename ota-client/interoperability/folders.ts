/** Where the executable keeps what it trusts and what it downloaded. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ok } from '#hal/core/result';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import type { Trust } from '#ota-client/trust/session';

/** The suite wants one `root.json`; it is the pinned root of the next run, so roots in between are not asked for. */
export const folderStore = (folder: string): Trust['store'] => ({
  get: (key) => (isRoot(key) ? ok(undefined) : readIfThere(join(folder, key))),
  put: (key, value) => writeAtomically(isRoot(key) ? rootFile(folder) : join(folder, key), value),
});

export const rootFile = (folder: string): string => join(folder, 'root.json');

const isRoot = (key: string): boolean => key.startsWith('root/');

const longestName = 200;

/** One flat name for each path of a target, the same at each download. */
export const targetFile = (folder: string, path: string): string => {
  const name = encodeURIComponent(path);
  return join(folder, name.length > longestName ? createHash('sha256').update(path).digest('hex') : name);
};
