/** Files as an archive that is unpacked at `/`, with the folders that lead to them. */
import { posix } from 'node:path';
import type { InstalledFile } from '#agents/package/files';
import { type TarEntry, tarArchive } from './tar.ts';

/** @param files sorted by path */
export const treeArchive = (files: readonly InstalledFile[], timeSeconds: number): Uint8Array => {
  const seen = new Set<string>();
  const foldersTo = (path: string): TarEntry[] => {
    const folder = posix.dirname(path);
    if (folder === '.' || seen.has(folder)) return [];
    seen.add(folder);
    return [...foldersTo(folder), { is: 'directory', path: `./${folder}/`, mode: 0o755 }];
  };
  const entries = files.flatMap((file): TarEntry[] => [
    ...foldersTo(file.path),
    'target' in file
      ? { is: 'link', path: `./${file.path}`, target: file.target }
      : { is: 'file', path: `./${file.path}`, mode: file.mode, bytes: file.read() },
  ]);
  return tarArchive([{ is: 'directory', path: './', mode: 0o755 }, ...entries], timeSeconds);
};
