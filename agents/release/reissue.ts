/**
 * All metadata anew, with the same releases in it: before it expires, and when a custodian is replaced. The old owners
 * sign the root that names the new ones (SR-09); lists are signed by whoever holds their class from then on.
 */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '#hal/core/bytes';
import { attempt, deny, done, ok, type Result } from '#hal/core/result';
import type { Signer } from '#ota-client/repository/custodian';
import { appendToLog } from '#ota-client/repository/office-log';
import { nextRoles, type SignedRole } from '#ota-client/repository/publish';
import { checkLists, enterLists, listedEntries } from '#ota-client/repository/publisher';
import { itemsOf, publishCeremony } from './ceremony.ts';
import { reissue } from './drafts.ts';
import type { PublicKey } from './keys.ts';
import {
  atDesk,
  checkSeparation,
  type Office,
  type OfficeParts,
  officeName,
  officeOf,
  openOffice,
  writeOffice,
} from './office.ts';
import { forgetRequest, keepRequest, keptRequest, type QuorumsOf } from './requests.ts';

/** Of a record of the office log. */
const maxDetailCharacters = 1024;
/** The office as it will be. */
const nextName = 'office-next.json';

/**
 * @param custodians all of them from then on; the present ones where there are none
 * @returns the request; or `integrity/hybrid-rule` where a name gets another key, and the faults of `checkSeparation`
 */
export const beginReissue = (
  parts: OfficeParts,
  folder: string,
  custodians: readonly PublicKey[] | undefined,
): Promise<Result<Uint8Array>> =>
  atDesk(parts, folder, [], async (desk, office) => {
    const next = officeOf(parts.crypto, folder, custodians ?? office.custodians, office.haltAfterFailures);
    const allowed = checkSuccessors(office.custodians, next.custodians);
    if (!allowed.ok) return allowed;
    const entriesOf = listedEntries(desk);
    if (!entriesOf.ok) return entriesOf;
    const roles = await nextRoles(next.repository, entriesOf.value, desk.clock.nowMs());
    if (!roles.ok) return roles;
    const written = writeOffice(folder, nextName, next);
    if (!written.ok) return written;
    const detail = changes(office.custodians, next.custodians);
    const entry = { atMs: desk.clock.nowMs(), by: 'office', did: 'reissue', release: reissue, detail };
    const logged = appendToLog(parts.crypto, desk.store, entry);
    if (!logged.ok) return logged;
    return keepRequest(folder, { release: reissue, logHead: logged.value.digest, items: itemsOf(roles.value) });
  });

/** @returns who must sign; or `unavailable/not-found` where nothing is being reissued */
export const quorumsOfReissue = (office: Office): Result<QuorumsOf> => {
  const next = openOffice(office.repository.crypto, office.folder, nextName);
  if (!next.ok) return next;
  return ok((item) =>
    item.role === 'root' ? [...office.quorumsOf(item), ...next.value.quorumsOf(item)] : next.value.quorumsOf(item),
  );
};

/**
 * Public from now on, and the custodians are those of the reissue.
 * @param signers of the publishing machine that the new root names
 * @returns the new root; or `integrity/metadata-rollback` where a release was staged, halted or revoked since `beginReissue`,
 * and the faults of `publishCeremony`
 */
export const publishReissue = (parts: OfficeParts, folder: string, signers: readonly Signer[]): Promise<Result<Uint8Array>> =>
  atDesk(parts, folder, [], async (desk, office) => {
    const { store, clock } = desk;
    const kept = keptRequest(folder, reissue);
    if (!kept.ok) return kept;
    const quorums = quorumsOfReissue(office);
    if (!quorums.ok) return quorums;
    const next = openOffice(parts.crypto, folder, nextName);
    if (!next.ok) return next;
    const enter = async (lists: readonly SignedRole[]) => {
      const current = checkLists(desk, lists);
      return current.ok ? enterLists(desk, lists) : current;
    };
    const root = await publishCeremony(next.value.repository, kept.value, quorums.value, signers, clock.nowMs(), enter);
    if (!root.ok) return root;
    const by = signers.map(({ name }) => name).join(', ');
    const logged = appendToLog(parts.crypto, store, { atMs: clock.nowMs(), by, did: 'stage', release: reissue, detail: '' });
    if (!logged.ok) return logged;
    const moved = attempt(
      () => renameSync(join(folder, nextName), join(folder, officeName)),
      (cause) => deny('unavailable', 'storage-failed', cause),
    );
    if (!moved.ok) return moved;
    forgetRequest(folder, reissue);
    return ok(root.value);
  });

/** A signature is known by the custodian's name, so a new key comes with a new name. */
const checkSuccessors = (before: readonly PublicKey[], after: readonly PublicKey[]): Result<void> => {
  for (const custodian of after) {
    const known = before.find(({ name }) => name === custodian.name);
    if (known !== undefined && markOf(known) !== markOf(custodian))
      return deny('integrity', 'hybrid-rule', `${custodian.name} has another key or role than before: give it another name`);
  }
  const separate = checkSeparation(after);
  return separate.ok ? done : separate;
};

const markOf = ({ role, classical, postQuantum }: PublicKey): string => `${role} ${toHex(classical)} ${toHex(postQuantum)}`;

const changes = (before: readonly PublicKey[], after: readonly PublicKey[]): string => {
  const missing = (from: readonly PublicKey[], other: readonly PublicKey[]) =>
    from.filter(({ name }) => !other.some((custodian) => custodian.name === name)).map(({ name }) => name);
  const [left, came] = [missing(before, after), missing(after, before)];
  return [...left.map((name) => `-${name}`), ...came.map((name) => `+${name}`)].join(' ').slice(0, maxDetailCharacters);
};
