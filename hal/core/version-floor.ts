/** What was applied last, by class: nothing older is applied again, and one version means one content. */
import { createHash } from 'node:crypto';
import { equalBytes, u32be } from '#hal/core/bytes';
import { deny, done, type Result } from '#hal/core/result';

/** Where the floors are kept: durable before `put` returns. */
export interface FloorStore {
  get(key: string): Result<Uint8Array | undefined>;
  put(key: string, value: Uint8Array): Result<void>;
}

export interface VersionFloor {
  /**
   * Raises the floor of a class to this version, or leaves it where the same is applied again.
   * @returns `policy/stale` below the floor, `policy/version-reused` for another content of the same version
   */
  take(kind: string, version: number, content: Uint8Array): Result<void>;
}

/** A record is the version and SHA-256 of the content. */
export const versionFloor = (store: FloorStore): VersionFloor => ({
  take(kind, version, content) {
    const key = `floor-${kind}`;
    const digest = createHash('sha256').update(content).digest();
    const stored = store.get(key);
    if (!stored.ok) return stored;
    if (stored.value !== undefined) {
      const floor = Buffer.from(stored.value).readUInt32BE(0);
      if (version < floor) return deny('policy', 'stale', `version ${version} of ${kind} is below ${floor}`);
      if (version === floor)
        return equalBytes(stored.value.subarray(4), digest)
          ? done
          : deny('policy', 'version-reused', `version ${version} of ${kind}`);
    }
    return store.put(key, Buffer.concat([u32be(version), digest]));
  },
});
