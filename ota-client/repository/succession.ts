/**
 * What may follow what (SR-08): counters of a class rise for the same hardware, and after a release was revoked with its
 * floor, nothing for its hardware stands on that floor any more. Old code comes again under a new number.
 */
import { deny, done, ok, type Result } from '#hal/core/result';
import type { JsonObject } from '#ota-client/trust/json';
import { type Release, releaseOf } from '#ota-client/trust/release';
import type { ReleaseRecord } from './release-record.ts';

type Succeeding = Pick<ReleaseRecord, 'id' | 'class' | 'custom'>;

/**
 * @param others of the same publisher, in the order of their drafts
 * @returns nothing; or `integrity/release-rollback`, `integrity/below-floor`, `protocol/field-invalid`
 */
export const checkSuccession = (release: Succeeding, others: readonly ReleaseRecord[]): Result<void> => {
  const said = saidOf(release.custom);
  if (!said.ok) return said;
  const { releaseCounter, floorEpoch = 0, hw } = said.value;
  const revoked = revokedAbove(release, said.value, others);
  if (!revoked.ok) return revoked;
  if (revoked.value !== undefined)
    return deny('integrity', 'below-floor', `${floorEpoch}, but ${revoked.value} was revoked there`);
  const at = others.findIndex(({ id }) => id === release.id);
  for (const [position, other] of others.entries()) {
    if (other.id === release.id) continue;
    const before = saidOf(other.custom);
    if (!before.ok) return before;
    if (!isForOneMachine(hw, before.value.hw)) continue;
    const isBefore = at === -1 || position < at;
    if (isBefore && other.class === release.class && releaseCounter <= before.value.releaseCounter)
      return deny('integrity', 'release-rollback', `${releaseCounter}, but ${other.id} has ${before.value.releaseCounter}`);
  }
  return done;
};

/** @returns whether a release stands on a floor on which another was revoked: no device is sent there any more */
export const isOnRevokedFloor = (release: Succeeding, others: readonly ReleaseRecord[]): Result<boolean> => {
  const said = saidOf(release.custom);
  if (!said.ok) return said;
  const revoked = revokedAbove(release, said.value, others);
  return revoked.ok ? ok(revoked.value !== undefined) : revoked;
};

/** @returns the release that was revoked with this floor or a higher one, for the same hardware */
const revokedAbove = (
  release: Succeeding,
  { floorEpoch = 0, hw }: Release,
  others: readonly ReleaseRecord[],
): Result<string | undefined> => {
  if (!hasFloor(release)) return ok(undefined);
  for (const other of others) {
    if (!other.raisesFloor || !hasFloor(other) || other.id === release.id) continue;
    const said = saidOf(other.custom);
    if (!said.ok) return said;
    if (isForOneMachine(hw, said.value.hw) && floorEpoch <= (said.value.floorEpoch ?? 0)) return ok(other.id);
  }
  return ok(undefined);
};

/** Only what starts from a slot has a floor. */
export const hasFloor = ({ class: name }: Pick<ReleaseRecord, 'class'>): boolean => name === 'os' || name === 'repair';

const saidOf = (custom: JsonObject): Result<Release> => releaseOf({ length: 0, hashes: new Map(), custom });

/** Without a list a release is for all hardware. */
const isForOneMachine = (one: readonly string[] | undefined, other: readonly string[] | undefined): boolean =>
  one === undefined || other === undefined || one.some((name) => other.includes(name));
