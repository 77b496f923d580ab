/** At the office: the draft of a field grant, which is reviewed, signed, published and revoked like anything else that is published. */
import { deny, ok, type Result } from '#hal/core/result';
import { grantFile } from '#ota-client/repository/field-grant';
import { allReleases, type ReleaseRecord } from '#ota-client/repository/release-record';
import { grantPath } from '#ota-client/trust/field-grant';
import { releaseOf } from '#ota-client/trust/release';
import { addFile, isOfAll } from './drafts.ts';
import { custodianOf, type PublicKey } from './keys.ts';
import { atDesk, type OfficeParts } from './office.ts';

export interface GrantInput {
  readonly id: string;
  readonly author: string;
  readonly hardware: string;
  readonly technicians: readonly PublicKey[];
  /** Counters of releases, both included. */
  readonly releases: { readonly first: number; readonly last: number };
  /** On each device. */
  readonly uses: number;
  readonly days: number;
}

const dayMs = 86_400_000;
/** A device takes one of 31 days; signing and publishing it take some of them. */
export const maxGrantDays = 30;

/**
 * Its days begin now, not when it is signed.
 * @returns the draft; or `integrity/role-mismatch` for a key that is no technician's, `protocol/config-invalid`, and the faults of
 * `grantFile` and of `draftRelease`
 */
export const addGrant = async (parts: OfficeParts, folder: string, input: GrantInput): Promise<Result<ReleaseRecord>> => {
  const { id, author, hardware, technicians, releases, uses, days } = input;
  if (isOfAll(id)) return deny('protocol', 'event-refused', id);
  if (!Number.isInteger(days) || days < 1 || days > maxGrantDays)
    return deny('protocol', 'config-invalid', `days: expected 1 to ${maxGrantDays}`);
  const stranger = technicians.find(({ role }) => role !== 'technician');
  if (stranger !== undefined) return deny('integrity', 'role-mismatch', `${stranger.name} signs for ${stranger.role}`);
  const version = await nextVersion(parts, folder, hardware);
  if (!version.ok) return version;
  const expiresMs = parts.clock.nowMs() + days * dayMs;
  const bounds = { version: version.value, expiresMs, releases, uses };
  const file = grantFile(parts.crypto, { ...bounds, technicians: technicians.map(custodianOf) });
  return file.ok ? addFile(parts, folder, { id, class: 'grants', author, hardware: [hardware] }, file.value) : file;
};

/** One grant of a hardware class follows another. */
const nextVersion = (parts: OfficeParts, folder: string, hardware: string): Promise<Result<number>> =>
  atDesk(parts, folder, [], ({ store }) => {
    const all = allReleases(store);
    if (!all.ok) return all;
    const before = all.value
      .filter(({ entries }) => entries.some(({ path }) => path === grantPath(hardware)))
      .map(({ custom }) => releaseOf({ length: 0, hashes: new Map(), custom }));
    return ok(1 + Math.max(0, ...before.map((said) => (said.ok ? said.value.releaseCounter : 0))));
  });
