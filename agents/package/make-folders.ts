/** Makes what tmpfiles.d(5) would, on a machine that has no such program. */
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { unwrap } from '#hal/core/result';
import { userIdOf } from '#hal/linux/user-id';
import { folders, links } from './accounts.ts';

/** Throws where it cannot: nothing can start then. */
export const makeFolders = (): void => {
  for (const { path, mode, owner, group = owner } of folders()) {
    mkdirSync(path, { recursive: true });
    // Users and groups of ours have the same numbers.
    chownSync(path, unwrap(userIdOf(owner)), unwrap(userIdOf(group)));
    chmodSync(path, mode);
  }
  for (const { path, target } of links()) {
    rmSync(path, { force: true });
    symlinkSync(target, path);
  }
};
