/**
 * The director's part of an archive: one release that is offered at the office, named by a technician under the grant that is
 * published for its hardware. It is verified here as a device will verify it, so that nobody travels with what is refused.
 */
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { TargetEntry } from '#ota-client/repository/compose';
import type { Signer } from '#ota-client/repository/custodian';
import { technicianWord } from '#ota-client/repository/field-grant';
import { consistentPath, fetchMetadata, metadataPath, type StaticFiles } from '#ota-client/repository/files';
import { offers } from '#ota-client/repository/publisher';
import { deviceTrust } from '#ota-client/trust/device-trust';
import { findGrant, grantedTarget, wordPath } from '#ota-client/trust/field-grant';
import { type Repository, refresh } from '#ota-client/trust/refresh';
import { checkTargetFile } from '#ota-client/trust/target-file';
import type { AddedFile } from './archive.ts';
import { hardwareOf } from './draft-folder.ts';
import type { CustodianKey } from './keys.ts';
import { atDesk, type OfficeParts } from './office.ts';

/**
 * @param id of the release; what the director would name to nobody is carried to nobody
 * @returns the file for the archive; or `protocol/event-refused` for a release that is not offered, `integrity/role-mismatch` for
 * a key that is no technician's, and the faults of `refresh`, of `findGrant` and of `grantedTarget`
 */
export const carriedOffer = (
  parts: OfficeParts,
  folder: string,
  id: string,
  { role, signer }: CustodianKey,
): Promise<Result<AddedFile>> =>
  atDesk(parts, folder, [], async (desk, { repository: { files } }) => {
    if (role !== 'technician') return deny('integrity', 'role-mismatch', `${signer.name} signs for ${role}`);
    const offered = offers(desk);
    if (!offered.ok) return offered;
    const entry = offered.value.find(({ releaseId }) => releaseId === id)?.entry;
    if (entry === undefined) return deny('protocol', 'event-refused', `${id} is offered to nobody`);
    const hardware = hardwareOf(entry);
    if (!hardware.ok) return hardware;
    const nowMs = desk.clock.nowMs();
    const image = await published(parts.crypto, files, nowMs);
    if (!image.ok) return image;
    const word = await wordFor(parts.crypto, files, image.value, hardware.value, entry, signer, nowMs);
    return word.ok ? ok({ path: wordPath(hardware.value), bytes: word.value }) : word;
  });

const never = new AbortController().signal;

/** From the first root, as a device of this office refreshes. */
const published = async (crypto: CryptoBackend, files: Pick<StaticFiles, 'get'>, nowMs: number): Promise<Result<Repository>> => {
  const root = await files.get(metadataPath('1.root.json'));
  if (!root.ok) return root;
  const store = { get: () => ok(undefined), put: () => done };
  const trust = deviceTrust({ crypto, fetch: fetchMetadata(files), store, pinnedRoot: root.value ?? new Uint8Array() });
  return refresh(trust, { nowMs, floorMs: 0 }, never);
};

const wordFor = async (
  crypto: CryptoBackend,
  files: Pick<StaticFiles, 'get'>,
  image: Repository,
  hardware: string,
  entry: TargetEntry,
  technician: Signer,
  nowMs: number,
): Promise<Result<Uint8Array>> => {
  const found = await findGrant(image, hardware);
  if (!found.ok) return found;
  const { target, release } = found.value;
  const stored = await files.get(consistentPath({ path: target.path, sha256: target.file.hashes.get('sha256') ?? '' }));
  const grant = stored.ok ? checkTargetFile(crypto, target.file, stored.value ?? new Uint8Array()) : stored;
  if (!grant.ok) return grant;
  const word = await technicianWord(crypto, grant.value, entry, technician, nowMs);
  if (!word.ok) return word;
  const device = { hardwareId: hardware, releaseCounter: 0, floorEpoch: 0 };
  const granted = { grant: grant.value, word: word.value };
  const named = await grantedTarget(crypto, granted, release.releaseCounter, image, device);
  return named.ok ? word : named;
};
