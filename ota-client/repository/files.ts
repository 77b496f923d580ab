/** Where a repository's files lie for the world to fetch: a folder, an object store, a CDN's origin. */
import { concatAll } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CreateFile } from '#ota-client/payload/new-file';
import type { Fetch } from '#ota-client/trust/session';

export interface StaticFiles {
  get(path: string): Promise<Result<Uint8Array | undefined>>;
  /**
   * Durable and whole before it resolves. Of what was published, only `timestamp.json`, `root.json`, the checkpoint of the
   * log and proofs in it are replaced.
   */
  put(path: string, bytes: Uint8Array): Promise<Result<void>>;
  /** For what is too large to be held: it is there when it is finished. */
  readonly create: CreateFile;
  /** Size of a file in bytes, undefined where there is none. */
  size(path: string): Promise<Result<number | undefined>>;
}

export const metadataPath = (name: string): string => `metadata/${name}`;
export const targetPath = (name: string): string => `targets/${name}`;

/** TUF 1.0 §6.2: the file of a target has its hash before its name. */
export const consistentPath = ({ path, sha256 }: { readonly path: string; readonly sha256: string }): string => {
  const slash = path.lastIndexOf('/') + 1;
  return targetPath(`${path.slice(0, slash)}${sha256}.${path.slice(slash)}`);
};

export const memoryFiles = (kept = new Map<string, Uint8Array>()): StaticFiles => ({
  get: async (path) => ok(kept.get(path)),
  put: async (path, bytes) => {
    kept.set(path, bytes);
    return done;
  },
  async create(path) {
    const parts: Uint8Array[] = [];
    return ok({
      async append(bytes) {
        parts.push(bytes.slice());
        return done;
      },
      async finish() {
        kept.set(path, concatAll(parts));
        return done;
      },
      abandon: async () => undefined,
    });
  },
  size: async (path) => ok(kept.get(path)?.length),
});

/** The metadata of such files as a client fetches it: a stick, an archive, a director's answer, a test. */
export const fetchMetadata =
  (files: Pick<StaticFiles, 'get'>): Fetch =>
  async (name, maxBytes) => {
    const bytes = await files.get(metadataPath(name));
    if (!bytes.ok) return bytes;
    if (bytes.value === undefined) return deny('unavailable', 'not-found', name);
    return bytes.value.length > maxBytes ? deny('protocol', 'too-large', name) : ok(bytes.value);
  };
