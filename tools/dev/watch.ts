/** Which files changed since somebody asked. */
import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

export interface Watch extends Disposable {
  /** @returns whole paths and when the first of them was noticed, of `nowMs`; undefined while nothing changed */
  changes(): { readonly paths: ReadonlySet<string>; readonly noticedMs: number } | undefined;
}

/**
 * Each folder by itself: a file that an editor replaces is another file under the same name, which only its folder tells.
 * Folders that come later are not seen.
 */
export const watchFolders = (folders: readonly string[], nowMs: () => number): Watch => {
  let paths = new Set<string>();
  let noticedMs = 0;
  const watchers = folders.flatMap(withFoldersIn).map(
    (folder): FSWatcher =>
      watch(folder, (_, name) => {
        if (name === null) return;
        if (paths.size === 0) noticedMs = nowMs();
        paths.add(join(folder, name));
      }),
  );
  return {
    changes() {
      if (paths.size === 0) return undefined;
      const taken = { paths, noticedMs };
      paths = new Set();
      return taken;
    },
    [Symbol.dispose]: () => {
      for (const watcher of watchers) watcher.close();
    },
  };
};

const withFoldersIn = (folder: string): readonly string[] => [
  folder,
  ...readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name)),
];
