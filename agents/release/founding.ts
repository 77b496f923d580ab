/** How an office begins: its custodians are written down, sign the root and every list, and the publishing machine makes that public. */
import { deny, ok, type Result } from '#hal/core/result';
import { assembleMetadata } from '#ota-client/repository/compose';
import type { Signer } from '#ota-client/repository/custodian';
import { metadataPath } from '#ota-client/repository/files';
import { appendToLog } from '#ota-client/repository/office-log';
import { firstRoles, publishRoles, putRoot, type SignedRole } from '#ota-client/repository/publish';
import { type MetadataItem, officeRoleOf } from '#ota-client/repository/signing-item';
import { founding } from './drafts.ts';
import type { PublicKey } from './keys.ts';
import { atDesk, layOutOffice, type Office, type OfficeParts } from './office.ts';
import { forgetRequest, type KeptRequest, keepRequest, keptRequest, signaturesOf } from './requests.ts';

/** @returns the request that everybody signs first; or a fault of `layOutOffice` */
export const beginOffice = async (
  parts: OfficeParts,
  folder: string,
  custodians: readonly PublicKey[],
  haltAfterFailures: number,
): Promise<Result<Uint8Array>> => {
  const laidOut = layOutOffice(folder, custodians, haltAfterFailures);
  if (!laidOut.ok) return laidOut;
  return atDesk(parts, folder, [], async ({ store, clock }, { repository }) => {
    const roles = await firstRoles(repository, clock.nowMs());
    if (!roles.ok) return roles;
    const logged = appendToLog(parts.crypto, store, {
      ...{ atMs: clock.nowMs(), by: 'office', did: 'init', release: founding },
      detail: `${custodians.length} custodians`,
    });
    if (!logged.ok) return logged;
    const items = roles.value.map(
      ({ role, version, signed }): MetadataItem => ({
        ...{ kind: 'metadata', role: role as MetadataItem['role'], version, signed, files: [] },
      }),
    );
    return keepRequest(folder, { release: founding, logHead: logged.value.digest, items });
  });
};

/**
 * Public from now on: an empty repository. Signatures were all accepted before.
 * @returns the root, which goes into the image of a device; or `protocol/event-refused` where it is public already,
 * `integrity/custodians-missing`, and the faults of `publishRoles`
 */
export const publishFounding = async (
  parts: OfficeParts,
  folder: string,
  signers: readonly Signer[],
): Promise<Result<Uint8Array>> =>
  atDesk(parts, folder, [], async ({ store, clock }, office) => {
    const { files } = office.repository;
    const published = await files.get(metadataPath('timestamp.json'));
    if (!published.ok) return published;
    if (published.value !== undefined) return deny('protocol', 'event-refused', 'the repository is public already');
    const kept = keptRequest(folder, founding);
    if (!kept.ok) return kept;
    const roles = assembleAll(office, kept.value);
    if (!roles.ok) return roles;
    const [root, ...rest] = roles.value;
    if (root === undefined) return deny('protocol', 'field-invalid', 'a founding without a root');
    const rooted = await putRoot(files, root);
    if (!rooted.ok) return rooted;
    const made = await publishRoles(office.repository, rest, signers, clock.nowMs());
    if (!made.ok) return made;
    const by = signers.map(({ name }) => name).join(', ');
    const logged = appendToLog(parts.crypto, store, { atMs: clock.nowMs(), by, did: 'stage', release: founding, detail: '' });
    if (!logged.ok) return logged;
    forgetRequest(folder, founding);
    return ok(root.bytes);
  });

const assembleAll = ({ repository, quorumOf }: Office, kept: KeptRequest): Result<readonly SignedRole[]> => {
  const roles: SignedRole[] = [];
  for (const item of kept.request.items) {
    if (item.kind !== 'metadata') return deny('protocol', 'field-invalid', 'a founding with a statement');
    const { role, version, signed } = item;
    const bytes = assembleMetadata(repository.crypto, signed, signaturesOf(kept, item), quorumOf(officeRoleOf(item)));
    if (!bytes.ok) return bytes;
    roles.push({ role, version, bytes: bytes.value });
  }
  return ok(roles);
};
