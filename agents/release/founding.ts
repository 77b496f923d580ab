/** How an office begins: its custodians are written down, sign the root and every list, and the publishing machine makes that public. */
import { deny, done, ok, type Result } from '#hal/core/result';
import type { Signer } from '#ota-client/repository/custodian';
import { metadataPath } from '#ota-client/repository/files';
import { appendToLog } from '#ota-client/repository/office-log';
import { type ImageRepository, nextRoles } from '#ota-client/repository/publish';
import { itemsOf, publishCeremony } from './ceremony.ts';
import { founding } from './drafts.ts';
import type { PublicKey } from './keys.ts';
import { atDesk, layOutOffice, type OfficeParts } from './office.ts';
import { forgetRequest, hasRequest, keepRequest, keptRequest } from './requests.ts';

/**
 * Called again after a cut it goes on. Where the request is there already it is the same one, so that what came back for it
 * still counts.
 * @returns the request that everybody signs first; or `protocol/event-refused` where the repository is public already, and the
 * faults of `layOutOffice`
 */
export const beginOffice = async (
  parts: OfficeParts,
  folder: string,
  custodians: readonly PublicKey[],
  haltAfterFailures: number,
): Promise<Result<Uint8Array>> => {
  const laidOut = layOutOffice(folder, custodians, haltAfterFailures);
  if (!laidOut.ok) return laidOut;
  return atDesk(parts, folder, [], async ({ store, clock }, { repository }) => {
    const closed = await checkUnpublished(repository);
    if (!closed.ok) return closed;
    if (hasRequest(folder, founding)) {
      const kept = keptRequest(folder, founding);
      return kept.ok ? ok(kept.value.bytes) : kept;
    }
    const roles = await nextRoles(repository, () => [], clock.nowMs());
    if (!roles.ok) return roles;
    const detail = `${custodians.length} custodians`;
    const entry = { atMs: clock.nowMs(), by: 'office', did: 'init', release: founding, detail };
    const logged = appendToLog(parts.crypto, store, entry);
    if (!logged.ok) return logged;
    return keepRequest(folder, { release: founding, logHead: logged.value.digest, items: itemsOf(roles.value) });
  });
};

/**
 * Public from now on: an empty repository. Signatures were all accepted before.
 * @returns the root, which goes into the image of a device; or `protocol/event-refused` where it is public already, and the
 * faults of `publishCeremony`
 */
export const publishFounding = async (
  parts: OfficeParts,
  folder: string,
  signers: readonly Signer[],
): Promise<Result<Uint8Array>> =>
  atDesk(parts, folder, [], async ({ store, clock }, { repository, quorumsOf }) => {
    const closed = await checkUnpublished(repository);
    if (!closed.ok) return closed;
    const kept = keptRequest(folder, founding);
    if (!kept.ok) return kept;
    const root = await publishCeremony(repository, kept.value, quorumsOf, signers, clock.nowMs());
    if (!root.ok) return root;
    const by = signers.map(({ name }) => name).join(', ');
    const logged = appendToLog(parts.crypto, store, { atMs: clock.nowMs(), by, did: 'stage', release: founding, detail: '' });
    if (!logged.ok) return logged;
    forgetRequest(folder, founding);
    return ok(root.value);
  });

const checkUnpublished = async ({ files }: Pick<ImageRepository, 'files'>): Promise<Result<void>> => {
  const published = await files.size(metadataPath('timestamp.json'));
  if (!published.ok) return published;
  return published.value === undefined ? done : deny('protocol', 'event-refused', 'the repository is public already');
};
