/**
 * The image repository: what each role signs, written as static files (TUF 1.0 §6). Nothing is kept beside the files:
 * the next version of each is worked out from those that are published. Immutable names first, `timestamp.json` last,
 * so that a client sees the old state or the new one.
 */
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { equalHashes } from '#ota-client/trust/content';
import type { JsonObject } from '#ota-client/trust/json';
import { deviceSchemes } from '#ota-client/trust/keys';
import {
  type MetaFile,
  type Read,
  type Root,
  readRoot,
  readSnapshot,
  readTimestamp,
  type TopRole,
} from '#ota-client/trust/metadata';
import { type BundleClass, bundleClasses } from '#ota-client/trust/release';
import { metaFileOf, rootJson, signMetadata, snapshotJson, type TargetEntry, targetsJson, timestampJson } from './compose.ts';
import type { Custodian, Quorum, Signer } from './custodian.ts';
import { metadataPath, type StaticFiles } from './files.ts';

export type TopQuorums = Readonly<Record<TopRole, Quorum>>;
export type ClassQuorums = Readonly<Record<BundleClass, Quorum>>;

export interface Lifetimes {
  readonly rootMs: number;
  readonly targetsMs: number;
  readonly snapshotMs: number;
  readonly timestampMs: number;
}

const dayMs = 24 * 3_600_000;
export const lifetimes: Lifetimes = { rootMs: 365 * dayMs, targetsMs: 180 * dayMs, snapshotMs: 7 * dayMs, timestampMs: dayMs };

/** What the image repository and the director have in common. */
export interface Rooted {
  readonly crypto: CryptoBackend;
  readonly files: StaticFiles;
  readonly top: TopQuorums;
  readonly lifetimes: Lifetimes;
}

export interface ImageRepository extends Rooted {
  readonly classes: ClassQuorums;
}

/** One signed file and its version, not yet published. */
export interface SignedRole {
  readonly role: string;
  readonly version: number;
  readonly bytes: Uint8Array;
}

/**
 * All metadata but snapshot and timestamp, at its next version: root, targets with a delegation for each class, and the
 * list of every class.
 * @param entriesOf what a class names
 */
export const nextRoles = async (
  repository: ImageRepository,
  entriesOf: (name: BundleClass) => readonly TargetEntry[],
  nowMs: number,
): Promise<Result<readonly UnsignedRole[]>> => {
  const { crypto, files, top, lifetimes } = repository;
  const current = await readPublished(files, 'root.json', (bytes) => readRoot(bytes, deviceSchemes));
  if (!current.ok) return current;
  const version = versionAfter(current.value);
  const root = { role: 'root', version, signed: rootJson(crypto, version, nowMs + lifetimes.rootMs, top) };
  const delegating = await nextDelegations(repository, nowMs);
  if (!delegating.ok) return delegating;
  const roles = [root, delegating.value];
  for (const name of bundleClasses) {
    const list = await nextClass(repository, name, entriesOf(name), nowMs);
    if (!list.ok) return list;
    roles.push(list.value);
  }
  return ok(roles);
};

/** A root that its custodians signed elsewhere. */
export const putRoot = async (files: StaticFiles, { version, bytes }: SignedRole): Promise<Result<void>> => {
  const stored = await files.put(metadataPath(`${version}.root.json`), bytes);
  return stored.ok ? files.put(metadataPath('root.json'), bytes) : stored;
};

/** Root, targets with a delegation for each class, and every class empty: all at version 1. */
export const createRepository = async (
  repository: ImageRepository,
  signers: readonly Signer[],
  nowMs: number,
): Promise<Result<void>> => {
  const rooted = await publishRoot(repository, repository.top, signers, nowMs);
  if (!rooted.ok) return rooted;
  const delegating = await signDelegations(repository, signers, nowMs);
  if (!delegating.ok) return delegating;
  const roles = [delegating.value];
  for (const name of bundleClasses) {
    const empty = await signClass(repository, name, [], signers, nowMs);
    if (!empty.ok) return empty;
    roles.push(empty.value);
  }
  return publishRoles(repository, roles, signers, nowMs);
};

/**
 * The next root, with other quorums if keys change. It satisfies the rule of the root before and its own (SR-09), so
 * the signers of both are needed.
 */
export const publishRoot = async (
  { crypto, files, top, lifetimes }: Rooted,
  next: TopQuorums,
  signers: readonly Signer[],
  nowMs: number,
): Promise<Result<void>> => {
  const current = await readPublished(files, 'root.json', (bytes) => readRoot(bytes, deviceSchemes));
  if (!current.ok) return current;
  const version = versionAfter(current.value);
  const quorums = current.value === undefined ? [next.root] : [top.root, next.root];
  for (const quorum of quorums) {
    const entitled = quorum.custodians.filter(({ name }) => signers.some((signer) => signer.name === name));
    if (entitled.length < quorum.threshold)
      return deny('integrity', 'custodians-missing', `root: ${entitled.length} of ${quorum.threshold}`);
  }
  const everybody = { custodians: distinct(quorums.flatMap(({ custodians }) => custodians)), threshold: 1 };
  const bytes = await signMetadata(crypto, rootJson(crypto, version, nowMs + lifetimes.rootMs, next), signers, everybody);
  return bytes.ok ? putRoot(files, { role: 'root', version, bytes: bytes.value }) : bytes;
};

const distinct = (custodians: readonly Custodian[]): readonly Custodian[] => [
  ...new Map(custodians.map((custodian) => [custodian.name, custodian])).values(),
];

/** What a role says next; signed by nobody yet. */
export interface UnsignedRole {
  readonly role: string;
  readonly version: number;
  readonly signed: JsonObject;
}

/** The top-level targets: no file of their own, one delegation for each class. */
export const nextDelegations = (repository: ImageRepository, nowMs: number): Promise<Result<UnsignedRole>> =>
  nextRole(
    repository,
    'targets',
    [],
    nowMs,
    bundleClasses.map((name) => ({ name, quorum: repository.classes[name] })),
  );

/** All targets of one class, as its next version; what is left out is withdrawn. */
export const nextClass = (
  repository: ImageRepository,
  name: BundleClass,
  entries: readonly TargetEntry[],
  nowMs: number,
): Promise<Result<UnsignedRole>> => nextRole(repository, name, entries, nowMs, []);

export const signDelegations = async (
  repository: ImageRepository,
  signers: readonly Signer[],
  nowMs: number,
): Promise<Result<SignedRole>> => signRole(repository, await nextDelegations(repository, nowMs), signers, repository.top.targets);

export const signClass = async (
  repository: ImageRepository,
  name: BundleClass,
  entries: readonly TargetEntry[],
  signers: readonly Signer[],
  nowMs: number,
): Promise<Result<SignedRole>> =>
  signRole(repository, await nextClass(repository, name, entries, nowMs), signers, repository.classes[name]);

const nextRole = async (
  { crypto, files, lifetimes }: ImageRepository,
  role: string,
  entries: readonly TargetEntry[],
  nowMs: number,
  delegations: Parameters<typeof targetsJson>[4],
): Promise<Result<UnsignedRole>> => {
  const named = await publishedMeta(files);
  if (!named.ok) return named;
  const version = (named.value.meta.get(`${role}.json`)?.version ?? 0) + 1;
  return ok({ role, version, signed: targetsJson(crypto, version, nowMs + lifetimes.targetsMs, entries, delegations) });
};

const signRole = async (
  { crypto }: ImageRepository,
  next: Result<UnsignedRole>,
  signers: readonly Signer[],
  quorum: Quorum,
): Promise<Result<SignedRole>> => {
  if (!next.ok) return next;
  const { role, version, signed } = next.value;
  const bytes = await signMetadata(crypto, signed, signers, quorum);
  return bytes.ok ? ok({ role, version, bytes: bytes.value }) : bytes;
};

/** Files of metadata in the order in which they become public; nothing of it is yet. */
export type Prepared = readonly (readonly [name: string, bytes: Uint8Array])[];

/**
 * Publish roles that were signed before, under a new snapshot and timestamp; with none, only those two are renewed.
 * @returns nothing, or a fault of `prepareRoles`
 */
export const publishRoles = async (
  repository: ImageRepository,
  roles: readonly SignedRole[],
  signers: readonly Signer[],
  nowMs: number,
): Promise<Result<void>> => {
  const prepared = await prepareRoles(repository, roles, signers, nowMs);
  return prepared.ok ? putPrepared(repository.files, prepared.value) : prepared;
};

/**
 * All that can refuse a publication, before any of it is public.
 * @returns what `putPrepared` makes public; or `integrity/metadata-rollback` where a role was published anew since it was
 * signed, and `integrity/custodians-missing`
 */
export const prepareRoles = async (
  { crypto, files, top, lifetimes }: ImageRepository,
  roles: readonly SignedRole[],
  signers: readonly Signer[],
  nowMs: number,
): Promise<Result<Prepared>> => {
  const published = await publishedMeta(files);
  if (!published.ok) return published;
  const { snapshotVersion: before, timestampVersion } = published.value;
  const meta = metaWith(crypto, published.value.meta, roles);
  if (!meta.ok) return meta;
  const snapshotVersion = before + 1;
  const said = snapshotJson(snapshotVersion, nowMs + lifetimes.snapshotMs, meta.value);
  const snapshot = await signMetadata(crypto, said, signers, top.snapshot);
  if (!snapshot.ok) return snapshot;
  const file = metaFileOf(crypto, snapshotVersion, snapshot.value);
  const described = timestampJson(timestampVersion + 1, nowMs + lifetimes.timestampMs, file);
  const timestamp = await signMetadata(crypto, described, signers, top.timestamp);
  if (!timestamp.ok) return timestamp;
  return ok([
    ...roles.map(({ role, version, bytes }) => [`${version}.${encodeURIComponent(role)}.json`, bytes] as const),
    [`${snapshotVersion}.snapshot.json`, snapshot.value],
    ['timestamp.json', timestamp.value],
  ]);
};

export const putPrepared = async (files: StaticFiles, prepared: Prepared): Promise<Result<void>> => {
  for (const [name, bytes] of prepared) {
    const stored = await files.put(metadataPath(name), bytes);
    if (!stored.ok) return stored;
  }
  return done;
};

const metaWith = (
  crypto: CryptoBackend,
  published: ReadonlyMap<string, MetaFile>,
  roles: readonly SignedRole[],
): Result<ReadonlyMap<string, MetaFile>> => {
  const meta = new Map(published);
  for (const { role, version, bytes } of roles) {
    const file = metaFileOf(crypto, version, bytes);
    const before = meta.get(`${role}.json`);
    if (before !== undefined && isSameFile(before, file)) continue;
    if (version !== (before?.version ?? 0) + 1)
      return deny('integrity', 'metadata-rollback', `${role}: ${version} after ${before?.version ?? 0}`);
    meta.set(`${role}.json`, file);
  }
  return ok(meta);
};

/** Published before a cut: publishing it again is harmless. */
const isSameFile = (a: MetaFile, b: MetaFile): boolean =>
  a.version === b.version && a.hashes !== undefined && b.hashes !== undefined && equalHashes(a.hashes, b.hashes);

export interface PublishedMeta {
  readonly timestampVersion: number;
  readonly snapshotVersion: number;
  readonly meta: ReadonlyMap<string, MetaFile>;
}

/** What is public now; nothing at all where nothing is. */
export const publishedMeta = async (files: Pick<StaticFiles, 'get'>): Promise<Result<PublishedMeta>> => {
  const timestamp = await readPublished(files, 'timestamp.json', (bytes) => readTimestamp(bytes, deviceSchemes));
  if (!timestamp.ok) return timestamp;
  if (timestamp.value === undefined) return ok({ timestampVersion: 0, snapshotVersion: 0, meta: new Map() });
  const { version, meta } = timestamp.value.content;
  const snapshotVersion = meta['snapshot.json'].version;
  const snapshot = await readPublished(files, `${snapshotVersion}.snapshot.json`, (bytes) => readSnapshot(bytes, deviceSchemes));
  if (!snapshot.ok) return snapshot;
  if (snapshot.value === undefined) return deny('unavailable', 'not-found', `${snapshotVersion}.snapshot.json`);
  return ok({ timestampVersion: version, snapshotVersion, meta: snapshot.value.content.meta });
};

const readPublished = async <T>(
  files: Pick<StaticFiles, 'get'>,
  name: string,
  read: (bytes: Uint8Array) => Result<Read<T>>,
): Promise<Result<Read<T> | undefined>> => {
  const bytes = await files.get(metadataPath(name));
  if (!bytes.ok) return bytes;
  return bytes.value === undefined ? ok(undefined) : read(bytes.value);
};

const versionAfter = (root: Read<Root> | undefined): number => (root?.content.version ?? 0) + 1;
