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
   * Whether this version may be applied; changes nothing, so that what fails to apply closes no way back.
   * @returns `policy/stale` below the floor, `policy/version-reused` for another content of the same version,
   * `unavailable/storage-failed` where the floor cannot be read: then nothing of this class is applied
   */
  check(kind: string, version: number, content: Uint8Array): Result<void>;
  /** Raises the floor of a class to what is in force now, or leaves it where the same was applied again. */
  raise(kind: string, version: number, content: Uint8Array): Result<void>;
}

const recordBytes = 4 + 32;

/** A record is the version and SHA-256 of the content. */
export const versionFloor = (store: FloorStore): VersionFloor => {
  const keyOf = (kind: string) => `floor-${kind}`;
  const check: VersionFloor['check'] = (kind, version, content) => {
    const stored = store.get(keyOf(kind));
    if (!stored.ok) return stored;
    if (stored.value === undefined) return done;
    if (stored.value.length !== recordBytes) return deny('unavailable', 'storage-failed', `floor of ${kind}`);
    const floor = Buffer.from(stored.value).readUInt32BE(0);
    if (version < floor) return deny('policy', 'stale', `version ${version} of ${kind} is below ${floor}`);
    return version > floor || equalBytes(stored.value.subarray(4), digestOf(content))
      ? done
      : deny('policy', 'version-reused', `version ${version} of ${kind}`);
  };
  return {
    check,
    raise(kind, version, content) {
      const checked = check(kind, version, content);
      return checked.ok ? store.put(keyOf(kind), Buffer.concat([u32be(version), digestOf(content)])) : checked;
    },
  };
};

const digestOf = (content: Uint8Array): Uint8Array => createHash('sha256').update(content).digest();
