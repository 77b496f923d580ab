/**
 * How many releases this device took under each grant. Devices that do not talk cannot hold a count over all of them: what is
 * held is that no device takes more than the grant says, and that what it began it may finish.
 */
import { toHex, utf8 } from '#hal/core/bytes';
import { type Decoded, decodeJson, integer, list, object, text } from '#hal/core/config';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import { type CountedGrant, maxGrantUses } from '#ota-client/trust/field-grant';

/** A grant that was verified, and the release that is named under it. */
export interface GrantUse {
  /** SHA-256 of the grant. */
  readonly digest: Uint8Array;
  /** Counts it, durably; the same release again is no new use. @returns nothing; or `policy/grant-used`, and the faults of `countUse` */
  take(): Result<void>;
}

const key = 'field-grants';
/** There is one at a time for a hardware class; the rest is over within a month. */
const maxGrants = 64;

const digest = text(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal');
const kept = list(
  object({ grant: digest, expiresMs: integer(0, Number.MAX_SAFE_INTEGER), releases: list(digest, maxGrantUses) }),
  maxGrants,
);
type Kept = Decoded<typeof kept>;

/**
 * @param release its digest
 * @param floorMs the time that certainly has come: a grant that ended before it is never valid again, and its count is forgotten
 * @returns nothing, once it is kept; or `policy/grant-used`, `resource/count-limit`, `protocol/config-invalid` for what was kept and
 * cannot be read, and the faults of the store
 */
export const countUse = (
  store: Pick<DurableStore, 'get' | 'put'>,
  grant: CountedGrant,
  release: Uint8Array,
  floorMs: number,
): Result<void> => {
  const before = read(store);
  if (!before.ok) return before;
  const [name, taken] = [toHex(grant.digest), toHex(release)];
  const releases = before.value.find((one) => one.grant === name)?.releases ?? [];
  if (releases.includes(taken)) return done;
  if (releases.length >= grant.uses) return deny('policy', 'grant-used', `${releases.length} of ${grant.uses}`);
  const others = before.value.filter((one) => one.grant !== name && one.expiresMs > floorMs);
  if (others.length >= maxGrants) return deny('resource', 'count-limit', `${maxGrants} grants`);
  const next: Kept = [...others, { grant: name, expiresMs: grant.expiresMs, releases: [...releases, taken] }];
  return store.put(key, utf8(JSON.stringify(next)));
};

const read = (store: Pick<DurableStore, 'get'>): Result<Kept> => {
  const bytes = store.get(key);
  if (!bytes.ok) return bytes;
  return bytes.value === undefined ? ok([]) : decodeJson(Buffer.from(bytes.value).toString('utf8'), kept);
};
