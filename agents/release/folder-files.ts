/** A repository's static files in a folder, which a file server serves as they lie there. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ok } from '#hal/core/result';
import { createAtomically, readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import type { StaticFiles } from '#ota-client/repository/files';

export const folderFiles = (directory: string): StaticFiles => ({
  get: async (path) => {
    const read = readIfThere(join(directory, path));
    return read.ok ? ok(read.value === undefined ? undefined : new Uint8Array(read.value)) : read;
  },
  async put(path, bytes) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    return writeAtomically(file, bytes, 0o644);
  },
  async create(path) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    const made = createAtomically(file, 0o644);
    if (!made.ok) return made;
    const { append, finish, abandon } = made.value;
    return ok({
      append: async (bytes) => append(bytes),
      finish: async () => finish(),
      abandon: async () => abandon(),
    });
  },
  size: async (path) => ok(statSync(join(directory, path), { throwIfNoEntry: false })?.size),
});
