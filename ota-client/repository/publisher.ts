/**
 * The publisher's desk: a release goes from draft to complete, each step made by one call of somebody who may make it.
 * Signatures are kept before the state says so, and files are written again harmlessly, so that a cut loses nothing.
 */
import { codeOf, deny, done, ok, type Result } from '#hal/core/result';
import { step } from '#hal/core/table';
import type { Clock } from '#hal/ports/clock';
import type { DurableStore } from '#hal/ports/durable-store';
import { deviceSchemes } from '#ota-client/trust/keys';
import { readTargets } from '#ota-client/trust/metadata';
import type { BundleClass } from '#ota-client/trust/release';
import type { TargetEntry } from './compose.ts';
import type { Signer } from './custodian.ts';
import type { Offer } from './director.ts';
import { consistentPath } from './files.ts';
import { type DeskLog, enterRelease } from './log-entries.ts';
import { type ImageRepository, publishRoles, type SignedRole, signClass } from './publish.ts';
import { allReleases, loadRelease, type ReleaseRecord, saveRelease } from './release-record.ts';
import { isOffered, type ReleaseEvent, releases } from './release-table.ts';

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
  readonly entries: readonly TargetEntry[];
}

/** @returns the draft; or `protocol/event-refused` for an id that was used, `integrity/role-mismatch`, `protocol/field-invalid` */
export const draftRelease = (desk: Desk, draft: Draft): Result<ReleaseRecord> => {
  const existing = loadRelease(desk.store, draft.id);
  if (existing.ok) return deny('protocol', 'event-refused', `${draft.id} exists`);
  if (draft.entries.some(({ path }) => !path.startsWith(`${draft.class}/`)))
    return deny('integrity', 'role-mismatch', draft.class);
  return saveRelease(desk.store, { ...draft, state: 'draft', reviewers: [], permille: 0, failedOn: [] });
};

/** @returns the reviewed release; or `policy/review-missing` when author and reviewer are one person */
export const reviewRelease = (desk: Desk, id: string, reviewer: string): Result<ReleaseRecord> =>
  advance(desk, id, 'review', (release) =>
    reviewer === release.author
      ? deny('policy', 'review-missing', reviewer)
      : ok({ ...release, reviewers: [reviewer], permille: 0, failedOn: [] }),
  );

/** The custodians of the class sign its next targets: what is published of the class, and this release. */
export const signRelease = async (desk: Desk, id: string, signers: readonly Signer[]): Promise<Result<ReleaseRecord>> => {
  const release = allowed(desk, id, 'sign');
  if (!release.ok) return release;
  const entries = classEntries(desk, release.value);
  if (!entries.ok) return entries;
  const signed = await signClass(desk.repository, release.value.class, entries.value, signers, desk.clock.nowMs());
  if (!signed.ok) return signed;
  const kept = keepSigned(desk, id, signed.value);
  return kept.ok ? advance(desk, id, 'sign', ok) : kept;
};

/**
 * Make it public, which is where it must be complete: reference values live (SR-13), every file in place, entered in the log.
 * @returns the staged release; or `policy/references-missing`, `integrity/target-mismatch`, `integrity/metadata-rollback`,
 *   `integrity/witnesses-missing`
 */
export const stageRelease = async (desk: Desk, id: string, signers: readonly Signer[]): Promise<Result<ReleaseRecord>> => {
  const release = allowed(desk, id, 'stage');
  if (!release.ok) return release;
  const ready = await checkReady(desk, release.value);
  if (!ready.ok) return ready;
  const signed = keptSigned(desk, release.value);
  if (!signed.ok) return signed;
  const entered = await enter(desk, release.value, signed.value);
  if (!entered.ok) return entered;
  const published = await publishRoles(desk.repository, [signed.value], signers, desk.clock.nowMs());
  return published.ok ? advance(desk, id, 'stage', ok) : published;
};

/** Offer it to so many of a thousand devices; called again to widen. */
export const rollRelease = async (desk: Desk, id: string, permille: number): Promise<Result<ReleaseRecord>> => {
  const release = allowed(desk, id, 'roll');
  if (!release.ok) return release;
  const live = await checkReferences(desk, release.value);
  return live.ok ? advance(desk, id, 'roll', (current) => ok({ ...current, permille })) : live;
};

export const completeRelease = (desk: Desk, id: string): Result<ReleaseRecord> =>
  advance(desk, id, 'complete', (release) => ok({ ...release, permille: 1000 }));

export const haltRelease = (desk: Desk, id: string): Result<ReleaseRecord> =>
  advance(desk, id, 'halt', (release) => ok({ ...release, permille: 0 }));

/** A device fell back from this release; each device counts once. Enough of them halt the rollout. */
export const reportFailure = (desk: Desk, id: string, handle: string): Result<ReleaseRecord> => {
  const release = loadRelease(desk.store, id);
  if (!release.ok || !isOffered(release.value.state) || release.value.failedOn.includes(handle)) return release;
  const reported = saveRelease(desk.store, { ...release.value, failedOn: [...release.value.failedOn, handle] });
  if (!reported.ok) return reported;
  return reported.value.failedOn.length >= desk.haltAfterFailures ? haltRelease(desk, id) : reported;
};

/** What the director may name now. */
export const offers = (desk: Desk): Result<readonly Offer[]> => {
  const all = allReleases(desk.store);
  if (!all.ok) return all;
  return ok(
    all.value
      .filter((release) => release.class === 'os' && isOffered(release.state))
      .flatMap(({ id, permille, entries }) => entries.map((entry) => ({ releaseId: id, permille, entry }))),
  );
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
  change: (release: ReleaseRecord) => Result<ReleaseRecord>,
): Result<ReleaseRecord> => {
  const release = loadRelease(desk.store, id);
  if (!release.ok) return release;
  const next = step(releases, release.value.state, event);
  if (!next.ok) return next;
  const changed = change(release.value);
  return changed.ok ? saveRelease(desk.store, { ...changed.value, state: next.value.state }) : changed;
};

/** By path, the later release winning: a repair release takes the place of the one before. Halted ones are withdrawn. */
const classEntries = (desk: Desk, release: ReleaseRecord): Result<readonly TargetEntry[]> => {
  const all = allReleases(desk.store);
  if (!all.ok) return all;
  const published = all.value.filter(
    (other) => other.class === release.class && (other.state === 'staged' || isOffered(other.state)),
  );
  const byPath = new Map([...published, release].flatMap(({ entries }) => entries).map((entry) => [entry.path, entry]));
  return ok([...byPath.values()]);
};

const checkReady = async (desk: Desk, release: ReleaseRecord): Promise<Result<void>> => {
  const live = await checkReferences(desk, release);
  if (!live.ok) return live;
  for (const { path, length, sha256 } of release.entries) {
    const file = consistentPath({ path, sha256 });
    const size = await desk.repository.files.size(file);
    if (!size.ok) return size;
    if (size.value !== length) return deny('integrity', 'target-mismatch', file);
  }
  return done;
};

/** SR-12: a repair is public without the log rather than not at all, and somebody is told. */
const enter = async (
  { transparency, repository, store }: Desk,
  release: ReleaseRecord,
  signed: SignedRole,
): Promise<Result<void>> => {
  if (transparency === undefined) return done;
  const all = allReleases(store);
  if (!all.ok) return all;
  const entered = await enterRelease(transparency, repository, release, signed, all.value);
  if (entered.ok || release.class !== 'repair') return entered;
  transparency.leftOut(release, codeOf(entered.fault));
  return done;
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
