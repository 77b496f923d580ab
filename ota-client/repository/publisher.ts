/**
 * The publisher's desk: a release goes from draft to complete, each step made by one call of somebody who may make it.
 * Each is written into the office log first. Signatures are kept before the state says so, and files are written again
 * harmlessly, so that a cut loses nothing.
 */
import { codeOf, deny, done, ok, type Result } from '#hal/core/result';
import { step } from '#hal/core/table';
import type { Clock } from '#hal/ports/clock';
import type { DurableStore } from '#hal/ports/durable-store';
import { canonicalJson } from '#ota-client/trust/canonical';
import type { JsonObject } from '#ota-client/trust/json';
import { deviceSchemes } from '#ota-client/trust/keys';
import { readTargets } from '#ota-client/trust/metadata';
import type { BundleClass } from '#ota-client/trust/release';
import { checkNames, classEntries, publishedEntries } from './class-list.ts';
import { assembleMetadata, type TargetEntry } from './compose.ts';
import { type CustodianSignature, metadataMessages, type Signer } from './custodian.ts';
import type { Offer } from './director.ts';
import { consistentPath } from './files.ts';
import { type DeskLog, enterPublication } from './log-entries.ts';
import { appendToLog } from './office-log.ts';
import {
  type ImageRepository,
  nextClass,
  prepareRoles,
  publishRoles,
  putPrepared,
  type SignedRole,
  type UnsignedRole,
} from './publish.ts';
import { allReleases, checkRelease, isKnown, loadRelease, type ReleaseRecord, saveRelease } from './release-record.ts';
import { isOffered, type ReleaseEvent, releases } from './release-table.ts';
import { checkSuccession, isOnRevokedFloor } from './succession.ts';

export interface Desk {
  readonly repository: ImageRepository;
  readonly store: Pick<DurableStore, 'get' | 'put'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** SR-13: whether the verifier knows the reference values of this release already. */
  readonly areReferencesLive: (release: ReleaseRecord) => Promise<Result<boolean>>;
  /** Absent where releases are entered in no log. */
  readonly transparency?: DeskLog;
  /** A rollout halts when the release failed on this many devices. */
  readonly haltAfterFailures: number;
}

export interface Draft {
  readonly id: string;
  readonly class: BundleClass;
  readonly author: string;
  /** What is to be signed beside its targets: counter, floor epoch, hardware. */
  readonly custom: JsonObject;
  /** None where a statement must be signed before its target exists: `nameTargets` brings them then. */
  readonly entries: readonly TargetEntry[];
}

/**
 * @returns the draft as it would be kept; or `protocol/event-refused` for an id that was used, `integrity/role-mismatch`,
 * `protocol/field-invalid`, and the faults of `checkSuccession`
 */
export const checkDraft = ({ store }: Pick<Desk, 'store'>, draft: Draft): Result<ReleaseRecord> => {
  const known = isKnown(store, draft.id);
  if (!known.ok) return known;
  if (known.value) return deny('protocol', 'event-refused', `${draft.id} exists`);
  const ofClass = checkClass(draft.class, draft.entries);
  if (!ofClass.ok) return ofClass;
  const others = allReleases(store);
  if (!others.ok) return others;
  const follows = checkSuccession(draft, others.value);
  if (!follows.ok) return follows;
  return checkRelease({
    ...{ ...draft, state: 'draft', reviewers: [] },
    ...{ permille: 0, failedOn: [], raisesFloor: false },
  });
};

/** @returns the draft, or a fault of `checkDraft` */
export const draftRelease = (desk: Desk, draft: Draft): Result<ReleaseRecord> => {
  const checked = checkDraft(desk, draft);
  if (!checked.ok) return checked;
  const logged = log(desk, draft.author, 'add', draft.id, draft.class);
  return logged.ok ? saveRelease(desk.store, checked.value) : logged;
};

/** @returns the reviewed release; or `policy/review-missing` when author and reviewer are one person */
export const reviewRelease = (desk: Desk, id: string, reviewer: string): Result<ReleaseRecord> =>
  advance(desk, id, 'review', reviewer, (release) =>
    reviewer === release.author
      ? deny('policy', 'review-missing', reviewer)
      : ok({ ...release, reviewers: [reviewer], permille: 0, failedOn: [] }),
  );

/** The targets of a reviewed release whose statement is signed. @returns as `draftRelease` refuses; `integrity/target-mismatch` */
export const nameTargets = (desk: Desk, id: string, entries: readonly TargetEntry[]): Result<ReleaseRecord> => {
  const release = allowed(desk, id, 'sign');
  if (!release.ok) return release;
  const ofClass = checkClass(release.value.class, entries);
  if (!ofClass.ok) return ofClass;
  return saveRelease(desk.store, { ...release.value, entries });
};

/** The next list of the class, for its custodians to sign: what is published of the class, and this release, if it is not revoked. */
export const listToSign = async (desk: Desk, id: string): Promise<Result<UnsignedRole>> => {
  const release = allowed(desk, id, 'sign');
  if (!release.ok) return release;
  const all = allReleases(desk.store);
  if (!all.ok) return all;
  if (release.value.state !== 'revoked') {
    const follows = checkSuccession(release.value, all.value);
    if (!follows.ok) return follows;
  }
  return nextClass(desk.repository, release.value.class, classEntries(all.value, release.value), desk.clock.nowMs());
};

/**
 * The list as its custodians signed it, wherever they did.
 * @param list as `listToSign` gave it
 * @returns the signed release; or a fault of `assembleMetadata`
 */
export const acceptSignatures = (
  desk: Desk,
  id: string,
  { role, version, signed }: UnsignedRole,
  signatures: readonly CustodianSignature[],
): Result<ReleaseRecord> => {
  const release = allowed(desk, id, 'sign');
  if (!release.ok) return release;
  const { crypto, classes } = desk.repository;
  if (role !== release.value.class) return deny('integrity', 'role-mismatch', role);
  const bytes = assembleMetadata(crypto, signed, signatures, classes[release.value.class]);
  if (!bytes.ok) return bytes;
  const kept = keepSigned(desk, id, { role, version, bytes: bytes.value });
  const by = signatures.map(({ name }) => name).join(', ');
  return kept.ok ? advance(desk, id, 'sign', by, ok) : kept;
};

/** Both at once, where the keys are at hand. */
export const signRelease = async (desk: Desk, id: string, signers: readonly Signer[]): Promise<Result<ReleaseRecord>> => {
  const list = await listToSign(desk, id);
  if (!list.ok) return list;
  const { crypto, classes } = desk.repository;
  const messages = metadataMessages(crypto, canonicalJson(list.value.signed));
  const entitled = new Set(classes[list.value.role as BundleClass].custodians.map(({ name }) => name));
  const signatures: CustodianSignature[] = [];
  for (const signer of signers.filter(({ name }) => entitled.has(name))) {
    const signature = await signer.sign(messages);
    if (!signature.ok) return signature;
    signatures.push({ name: signer.name, ...signature.value });
  }
  return acceptSignatures(desk, id, list.value, signatures);
};

/**
 * Make it public, which is where it must be complete: reference values live (SR-13), every file in place, an `os` entered in
 * the log of releases. What was revoked of the class is withdrawn with it.
 * @returns the staged release, or a revoked one withdrawn; or `policy/references-missing`, `integrity/target-mismatch`,
 * `integrity/metadata-rollback`, `integrity/witnesses-missing`, and the faults of `checkSuccession`
 */
export const stageRelease = async (desk: Desk, id: string, signers: readonly Signer[]): Promise<Result<ReleaseRecord>> => {
  const release = allowed(desk, id, 'stage');
  if (!release.ok) return release;
  const ready = release.value.state === 'revoked' ? done : await checkReady(desk, release.value);
  if (!ready.ok) return ready;
  const signed = keptSigned(desk, release.value);
  if (!signed.ok) return signed;
  const current = checkStillNamed(desk, release.value, signed.value);
  if (!current.ok) return current;
  const prepared = await prepareRoles(desk.repository, [signed.value], signers, desk.clock.nowMs());
  if (!prepared.ok) return prepared;
  const entered = await enter(desk, release.value, signed.value);
  if (!entered.ok) return entered;
  const published = await putPrepared(desk.repository.files, prepared.value);
  if (!published.ok) return published;
  const by = signers.map(({ name }) => name).join(', ');
  const staged = advance(desk, id, 'stage', by, ok);
  if (!staged.ok) return staged;
  const withdrawn = withdrawRevoked(desk, staged.value, by);
  return withdrawn.ok ? staged : withdrawn;
};

/** Snapshot and timestamp alone, before they expire. @returns a fault of `publishRoles` */
export const renewRepository = (desk: Desk, signers: readonly Signer[]): Promise<Result<void>> =>
  publishRoles(desk.repository, [], signers, desk.clock.nowMs());

/**
 * Offer it to so many of a thousand devices; called again to widen.
 * @returns `protocol/field-invalid` for a share of anything but os: devices find the other classes without a director
 */
export const rollRelease = async (desk: Desk, id: string, permille: number, by: string): Promise<Result<ReleaseRecord>> => {
  const release = allowed(desk, id, 'roll');
  if (!release.ok) return release;
  if (release.value.class !== 'os' && permille !== 1000)
    return deny('protocol', 'field-invalid', `${release.value.class} is for all devices as soon as it is staged`);
  const live = await checkReferences(desk, release.value);
  if (!live.ok) return live;
  return advance(desk, id, 'roll', by, (current) => ok({ ...current, permille }), `${permille} of 1000`);
};

/** Offered to everybody, which widens it: @returns `policy/references-missing` as `rollRelease` does */
export const completeRelease = async (desk: Desk, id: string, by: string): Promise<Result<ReleaseRecord>> => {
  const release = allowed(desk, id, 'complete');
  if (!release.ok) return release;
  const live = await checkReferences(desk, release.value);
  return live.ok ? advance(desk, id, 'complete', by, (current) => ok({ ...current, permille: 1000 })) : live;
};

export const haltRelease = (desk: Desk, id: string, by: string): Result<ReleaseRecord> =>
  advance(desk, id, 'halt', by, (release) => ok({ ...release, permille: 0 }));

/**
 * A device fell back from this release; each device counts once. Enough of them halt the rollout, also where a cut came
 * between the count and the halt and any of them reports again.
 */
export const reportFailure = (desk: Desk, id: string, handle: string): Result<ReleaseRecord> => {
  const release = loadRelease(desk.store, id);
  if (!release.ok || !isOffered(release.value.state)) return release;
  const reported = release.value.failedOn.includes(handle) ? release : countFailure(desk, release.value, handle);
  if (!reported.ok) return reported;
  const failures = reported.value.failedOn.length;
  return failures >= desk.haltAfterFailures ? haltRelease(desk, id, `the desk, after ${failures} failures`) : reported;
};

/**
 * No device is offered it any more, and the next list of its class leaves it out.
 * @param raisesFloor nothing for its hardware may stand on its floor from now on: the next release takes devices above it
 */
export const revokeRelease = (desk: Desk, id: string, by: string, raisesFloor: boolean): Result<ReleaseRecord> =>
  advance(desk, id, 'revoke', by, (release) => ok({ ...release, raisesFloor, permille: 0 }), raisesFloor ? 'with its floor' : '');

/**
 * Lists that were signed anew name what is published now: nothing was staged, halted or revoked since.
 * @returns nothing, or `integrity/metadata-rollback`
 */
export const checkLists = (desk: Pick<Desk, 'store'>, lists: readonly SignedRole[]): Result<void> => {
  const entriesOf = listedEntries(desk);
  if (!entriesOf.ok) return entriesOf;
  for (const list of lists) {
    const named = checkNames(list, entriesOf.value(list.role as BundleClass));
    if (!named.ok) return named;
  }
  return done;
};

/** What a class names that is published, for its list to be signed anew. */
export const listedEntries = ({ store }: Pick<Desk, 'store'>): Result<(name: BundleClass) => readonly TargetEntry[]> => {
  const all = allReleases(store);
  return all.ok ? ok((name) => publishedEntries(all.value, name)) : all;
};

/** What the director may name now: nothing on a floor on which a release was revoked. */
export const offers = (desk: Desk): Result<readonly Offer[]> => {
  const all = allReleases(desk.store);
  if (!all.ok) return all;
  const offered: Offer[] = [];
  for (const release of all.value) {
    if (release.class !== 'os' || !isOffered(release.state)) continue;
    const isLost = isOnRevokedFloor(release, all.value);
    if (!isLost.ok) return isLost;
    const { id: releaseId, permille, entries } = release;
    if (!isLost.value) offered.push(...entries.map((entry) => ({ releaseId, permille, entry })));
  }
  return ok(offered);
};

const allowed = (desk: Desk, id: string, event: ReleaseEvent): Result<ReleaseRecord> => {
  const release = loadRelease(desk.store, id);
  if (!release.ok) return release;
  const next = step(releases, release.value.state, event);
  return next.ok ? release : next;
};

const advance = (
  desk: Desk,
  id: string,
  event: ReleaseEvent,
  by: string,
  change: (release: ReleaseRecord) => Result<ReleaseRecord>,
  detail = '',
): Result<ReleaseRecord> => {
  const release = loadRelease(desk.store, id);
  if (!release.ok) return release;
  const next = step(releases, release.value.state, event);
  if (!next.ok) return next;
  const changed = change(release.value);
  if (!changed.ok) return changed;
  const logged = log(desk, by, event, id, detail);
  return logged.ok ? saveRelease(desk.store, { ...changed.value, state: next.value.state }) : logged;
};

/** Many custodians have long names together; who they are stands in the metadata as well. */
const maxActorCharacters = 1024;

const log = ({ repository, store, clock }: Desk, by: string, did: string, release: string, detail = '') =>
  appendToLog(repository.crypto, store, { atMs: clock.nowMs(), by: by.slice(0, maxActorCharacters), did, release, detail });

const checkClass = (name: BundleClass, entries: readonly TargetEntry[]): Result<void> =>
  entries.every(({ path }) => path.startsWith(`${name}/`)) ? done : deny('integrity', 'role-mismatch', name);

const withdrawRevoked = (desk: Desk, published: ReleaseRecord, by: string): Result<void> => {
  const all = allReleases(desk.store);
  if (!all.ok) return all;
  for (const { id, class: name, state } of all.value) {
    if (name !== published.class || state !== 'revoked') continue;
    const withdrawn = advance(desk, id, 'withdraw', by, ok);
    if (!withdrawn.ok) return withdrawn;
  }
  return done;
};

const checkReady = async (desk: Desk, release: ReleaseRecord): Promise<Result<void>> => {
  const all = allReleases(desk.store);
  if (!all.ok) return all;
  const follows = checkSuccession(release, all.value);
  if (!follows.ok) return follows;
  const live = await checkReferences(desk, release);
  if (!live.ok) return live;
  for (const entry of release.entries) {
    const file = consistentPath(entry);
    const size = await desk.repository.files.size(file);
    if (!size.ok) return size;
    if (size.value !== entry.length) return deny('integrity', 'target-mismatch', file);
  }
  return done;
};

/** Lists that are signed anew with the same releases in them: without proof of theirs, devices would refuse what they name. */
export const enterLists = async (
  { transparency, repository, store }: Desk,
  lists: readonly SignedRole[],
): Promise<Result<void>> => {
  if (transparency === undefined) return done;
  const all = allReleases(store);
  return all.ok ? enterPublication(transparency, repository, { lists, all: all.value }) : all;
};

/**
 * Only `os` waits for witnesses. A repair is public without the log rather than not at all (SR-12), and so is what writes no
 * slot, whose proof no device asks for; somebody is told.
 */
const enter = async (
  { transparency, repository, store }: Desk,
  release: ReleaseRecord,
  signed: SignedRole,
): Promise<Result<void>> => {
  if (transparency === undefined) return done;
  const all = allReleases(store);
  if (!all.ok) return all;
  const entered = await enterPublication(transparency, repository, { lists: [signed], release, all: all.value });
  if (entered.ok || release.class === 'os') return entered;
  transparency.leftOut(release, codeOf(entered.fault));
  return done;
};

/** Of its class something else may have been revoked or halted since the list was signed, or the release itself. */
const checkStillNamed = ({ store }: Desk, release: ReleaseRecord, list: SignedRole): Result<void> => {
  const all = allReleases(store);
  return all.ok ? checkNames(list, classEntries(all.value, release)) : all;
};

const countFailure = (desk: Desk, release: ReleaseRecord, handle: string): Result<ReleaseRecord> => {
  const logged = log(desk, handle, 'report', release.id);
  return logged.ok ? saveRelease(desk.store, { ...release, failedOn: [...release.failedOn, handle] }) : logged;
};

const checkReferences = async (desk: Desk, release: ReleaseRecord): Promise<Result<void>> => {
  const live = await desk.areReferencesLive(release);
  if (!live.ok) return live;
  return live.value ? done : deny('policy', 'references-missing', release.id);
};

const signedKey = (id: string): string => `signed/${id}`;

const keepSigned = ({ store }: Desk, id: string, { bytes }: SignedRole): Result<void> => store.put(signedKey(id), bytes);

const keptSigned = ({ store }: Desk, release: ReleaseRecord): Result<SignedRole> => {
  const bytes = store.get(signedKey(release.id));
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return deny('unavailable', 'not-found', signedKey(release.id));
  const read = readTargets(bytes.value, deviceSchemes);
  return read.ok ? ok({ role: release.class, version: read.value.content.version, bytes: bytes.value }) : read;
};
