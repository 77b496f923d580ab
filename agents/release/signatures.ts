/**
 * At the office: what custodians are asked to sign of a release, and what becomes of it when enough of them have. An
 * image is signed twice: first its statement, which the hands of a device verify, then the list of its class, since the
 * list names the file that holds the signed statement.
 */
import { manifestOf, readManifest } from '#agents/update/manifest';
import { encodeMessage } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import { assembleEnvelope, keyId } from '#hal/crypto/envelope';
import type { HybridPublicKey } from '#hal/crypto/suites';
import { targetEntry } from '#ota-client/repository/compose';
import type { Custodian } from '#ota-client/repository/custodian';
import { consistentPath } from '#ota-client/repository/files';
import { logHead } from '#ota-client/repository/office-log';
import { acceptSignatures, type Desk, listToSign, nameTargets } from '#ota-client/repository/publisher';
import { loadRelease, type ReleaseRecord } from '#ota-client/repository/release-record';
import type { MetadataItem, NamedFile, StatementItem } from '#ota-client/repository/signing-item';
import { hasFloor } from '#ota-client/repository/succession';
import { openStatement, statementHeader } from '#ota-client/slots/statement';
import { hardwareOf, keptDraft } from './draft-folder.ts';
import { imagePath, isOfAll, reissue } from './drafts.ts';
import { atDesk, type Office, type OfficeParts } from './office.ts';
import { quorumsOfReissue } from './reissue.ts';
import {
  forgetRequest,
  type KeptRequest,
  keepRequest,
  keepSignatures,
  keptRequest,
  signaturesOf,
  waitingFor,
} from './requests.ts';

export interface Accepted {
  /** Undefined for the founding and for a reissue. */
  readonly release: ReleaseRecord | undefined;
  /** Who can still sign; empty when enough have. */
  readonly waitingFor: readonly string[];
  /** Whether there is more to ask for: of an image the list, after its statement. */
  readonly isMoreToSign: boolean;
}

/** @returns the file for the custodians; or `protocol/event-refused` where nothing is to be signed, and the faults of `listToSign` */
export const requestSignatures = (parts: OfficeParts, folder: string, id: string): Promise<Result<Uint8Array>> =>
  atDesk(parts, folder, [], async (desk) => {
    const release = loadRelease(desk.store, id);
    if (!release.ok) return release;
    const list = await listToSign(desk, id);
    if (!list.ok) return list;
    const item = lacksStatement(release.value)
      ? statementItem(folder, release.value)
      : await listItem(desk, release.value, list.value);
    if (!item.ok) return item;
    const head = logHead(desk.store);
    if (!head.ok) return head;
    return keepRequest(folder, { release: id, logHead: head.value.digest, items: [item.value] });
  });

/**
 * Takes what custodians sent back, and goes on where enough have signed.
 * @returns what is open; or the faults of `keepSignatures`, after which all that came before still counts
 */
export const acceptFiles = (
  parts: OfficeParts,
  folder: string,
  id: string,
  files: readonly Uint8Array[],
): Promise<Result<Accepted>> =>
  atDesk(parts, folder, [], async (desk, office): Promise<Result<Accepted>> => {
    const quorums = id === reissue ? quorumsOfReissue(office) : ok(office.quorumsOf);
    if (!quorums.ok) return quorums;
    for (const file of files) {
      const asked = keptRequest(folder, id);
      if (!asked.ok) return asked;
      const taken = keepSignatures(parts.crypto, folder, asked.value, quorums.value, file);
      if (!taken.ok) return taken;
    }
    const kept = keptRequest(folder, id);
    if (!kept.ok) return kept;
    const missing = waitingFor(kept.value, quorums.value);
    if (isOfAll(id)) return ok({ release: undefined, waitingFor: missing, isMoreToSign: false });
    const release = missing.length > 0 ? loadRelease(desk.store, id) : await takeSigned(desk, office, id, kept.value);
    if (!release.ok) return release;
    if (missing.length === 0) forgetRequest(folder, id);
    return ok({
      release: release.value,
      waitingFor: missing,
      isMoreToSign: missing.length === 0 && release.value.state === 'reviewed',
    });
  });

const lacksStatement = (release: ReleaseRecord): boolean =>
  release.state === 'reviewed' && hasFloor(release) && release.entries.length === 0;

const statementItem = (folder: string, release: ReleaseRecord): Result<StatementItem> => {
  const kept = keptDraft(folder, release.id);
  if (!kept.ok) return kept;
  const hardware = hardwareOf(release);
  if (!hardware.ok) return hardware;
  return ok({ kind: 'statement', role: release.class, payload: kept.value.statement, hardware: hardware.value });
};

/** With the files that it names for the first time, so that those who sign can look at them. */
const listItem = async (
  { repository }: Desk,
  { class: role, state, entries }: ReleaseRecord,
  { version, signed }: Pick<MetadataItem, 'version' | 'signed'>,
): Promise<Result<MetadataItem>> => {
  const files: NamedFile[] = [];
  for (const entry of state === 'revoked' ? [] : entries) {
    const bytes = await repository.files.get(consistentPath(entry));
    if (!bytes.ok) return bytes;
    if (bytes.value === undefined) return deny('unavailable', 'not-found', entry.path);
    if (bytes.value.length <= maxShownBytes) files.push({ path: entry.path, bytes: bytes.value });
    else if (hasFloor({ class: role }))
      return deny('protocol', 'too-large', `${entry.path}: a manifest of ${bytes.value.length} bytes, at most ${maxShownBytes}`);
  }
  return ok({ kind: 'metadata', role, version, signed, files });
};

/** A larger file goes to the custodians on a way of its own; not a manifest, in which they look for their own statement. */
const maxShownBytes = 256 * 1024;

const takeSigned = async (desk: Desk, office: Office, id: string, kept: KeptRequest): Promise<Result<ReleaseRecord>> => {
  const [item] = kept.request.items;
  if (item === undefined) return deny('protocol', 'field-invalid', 'a request for nothing');
  return item.kind === 'metadata'
    ? acceptSignatures(desk, id, item, signaturesOf(kept, item))
    : takeStatement(desk, office, id, item, signaturesOf(kept, item));
};

/** The signed statement makes the manifest whole: from now on there is a target to name. */
const takeStatement = async (
  desk: Desk,
  { folder, repository, quorumOf }: Office,
  id: string,
  item: StatementItem,
  signatures: ReturnType<typeof signaturesOf>,
): Promise<Result<ReleaseRecord>> => {
  const { crypto, files } = repository;
  const release = loadRelease(desk.store, id);
  if (!release.ok) return release;
  const draft = keptDraft(folder, id);
  if (!draft.ok) return draft;
  const { custodians, threshold } = quorumOf(item.role);
  const signed = custodians.flatMap((custodian) => {
    const signature = signatures.find(({ name }) => name === custodian.name);
    return signature === undefined ? [] : [{ ...halves(signature), keyId: keyId(crypto, hybridKeyOf(custodian)) }];
  });
  const statement = assembleEnvelope(statementHeader, item.payload, signed);
  const keys = custodians.map(hybridKeyOf);
  const opened = openStatement({ crypto, keys, threshold, hardware: item.hardware }, statement);
  if (!opened.ok) return opened;
  const unsigned = readManifest(draft.value.manifest);
  if (!unsigned.ok) return unsigned;
  const manifest = encodeMessage('ReleaseManifest', manifestOf({ ...unsigned.value, statement }));
  const entry = targetEntry(crypto, imagePath(item.role, id, item.hardware), manifest, release.value.custom);
  const stored = await files.put(consistentPath(entry), manifest);
  return stored.ok ? nameTargets(desk, id, [entry]) : stored;
};

const halves = ({ classical, postQuantum }: ReturnType<typeof signaturesOf>[number]) => ({ classical, postQuantum });

const hybridKeyOf = ({ ed25519, mlDsa65 }: Custodian): HybridPublicKey => ({
  suite: statementHeader.suite,
  classical: ed25519,
  postQuantum: mlDsa65,
});
