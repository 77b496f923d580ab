/**
 * A publisher in a folder: the repository that is served, the desk's records, and drafts that wait for their signatures.
 *
 * `custodians.json`: public keys by name. `repository/`: what is served. `releases.db`: records. `drafts/ID/`: images and
 * what is to be said of them.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { releasePath } from '#agents/update/manifest';
import { fromBase64, fromHex, toBase64, toHex, utf8 } from '#hal/core/bytes';
import { type Decoded, decodeJson, integer, list, object, oneOf, text } from '#hal/core/config';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type HybridPublicKey, hybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import { openDurableStore } from '#hal/linux/durable-store';
import type { Clock } from '#hal/ports/clock';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Random } from '#hal/ports/random';
import { wholeBlocks } from '#ota-client/payload/build';
import { targetEntry } from '#ota-client/repository/compose';
import { type Custodian, type Quorum, signerFromSecret } from '#ota-client/repository/custodian';
import { targetPath } from '#ota-client/repository/files';
import { type ClassQuorums, createRepository, type ImageRepository, lifetimes } from '#ota-client/repository/publish';
import { type Desk, draftRelease, reviewRelease, rollRelease, signRelease, stageRelease } from '#ota-client/repository/publisher';
import { loadRelease, type ReleaseRecord } from '#ota-client/repository/release-record';
import { bundleClasses, hardwareId } from '#ota-client/trust/release';
import { repairPath } from '#ota-client/trust/repair';
import { buildRelease } from './build.ts';
import { folderFiles } from './folder-files.ts';
import { keyIn, type NamedSecret } from './keys.ts';
import { officeLog } from './office-transparency.ts';

export interface OfficeParts {
  readonly crypto: CryptoBackend;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
}

const owners = ['owner-first', 'owner-second'] as const;
const machine = 'publisher';
const pairOf = (name: string) => [`${name}-first`, `${name}-second`] as const;
const everybody = [...owners, machine, ...bundleClasses.flatMap(pairOf)];

const custodianFile = list(
  object({
    name: text(/^[a-z0-9][a-z0-9-]{0,63}$/, 'the name of a custodian'),
    classical: text(/^[A-Za-z0-9+/]{43}=$/, 'base64 of 32 bytes'),
    postQuantum: text(/^[A-Za-z0-9+/]{2600,2604}={0,2}$/, 'base64 of an ML-DSA-65 key'),
  }),
  256,
);

const draftFile = object({
  id: text(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'an id of a release'),
  class: oneOf('os', 'repair'),
  counter: integer(1, Number.MAX_SAFE_INTEGER),
  floorEpoch: integer(0, 64),
  hardware: hardwareId,
  author: text(/^[a-z0-9][a-z0-9.@-]{0,63}$/, 'a name'),
  bases: integer(0, 8),
});
export type Draft = Omit<Decoded<typeof draftFile>, 'bases'>;

/** Keys where there are none, and a repository with every class empty. @returns the root, for the image of a device */
export const initOffice = async (
  { crypto, clock, random }: OfficeParts,
  folder: string,
  keysFolder: string,
): Promise<Result<Uint8Array>> => {
  const known = readIfThere(join(folder, 'custodians.json'));
  if (!known.ok) return known;
  if (known.value !== undefined) return deny('protocol', 'event-refused', `${folder} holds a repository already`);
  const keys: NamedSecret[] = [];
  for (const name of everybody) {
    const key = keyIn(keysFolder, name, random);
    if (!key.ok) return key;
    keys.push(key.value);
  }
  const publicKeys = keys.map(({ name, secret }) => {
    const { classical, postQuantum } = hybridPublicKey(crypto, secret);
    return { name, classical: toBase64(classical), postQuantum: toBase64(postQuantum) };
  });
  mkdirSync(folder, { recursive: true });
  const stored = writeAtomically(join(folder, 'custodians.json'), utf8(`${JSON.stringify(publicKeys)}\n`), 0o644);
  if (!stored.ok) return stored;
  const repository = repositoryIn(crypto, folder);
  if (!repository.ok) return repository;
  const signers = keys.map(({ name, secret }) => signerFromSecret(crypto, name, secret));
  const created = await createRepository(repository.value, signers, clock.nowMs());
  if (!created.ok) return created;
  const root = await repository.value.files.get('metadata/1.root.json');
  return root.ok ? ok(root.value ?? new Uint8Array()) : root;
};

/** An image becomes a draft; nobody has said anything of it yet. @param bases images from which devices come */
export const addDraft = (folder: string, draft: Draft, image: string, bases: readonly string[]): Result<Draft> => {
  const place = join(folder, 'drafts', draft.id);
  const said = decodeJson(JSON.stringify({ ...draft, bases: bases.length }), draftFile);
  if (!said.ok) return said;
  const known = readIfThere(join(place, 'draft.json'));
  if (!known.ok) return known;
  if (known.value !== undefined) return deny('protocol', 'event-refused', `${draft.id} exists`);
  mkdirSync(place, { recursive: true });
  for (const [name, path] of [['image', image] as const, ...bases.map((base, at) => [`base-${at}`, base] as const)]) {
    const bytes = attempt(
      () => wholeBlocks(new Uint8Array(readFileSync(path))),
      (cause) => deny('protocol', 'file-unreadable', cause),
    );
    if (!bytes.ok) return bytes;
    const stored = writeAtomically(join(place, name), bytes.value, 0o644);
    if (!stored.ok) return stored;
  }
  const stored = writeAtomically(join(place, 'draft.json'), utf8(`${JSON.stringify(said.value)}\n`), 0o644);
  return stored.ok ? ok(draft) : stored;
};

/**
 * Statement and metadata are signed by those whose keys are given; somebody who is not the author has looked at it.
 * @returns the record; or `integrity/signature-missing` with fewer custodians than the class has, `policy/review-missing`
 */
export const signDraft = async (
  { crypto, clock }: OfficeParts,
  folder: string,
  id: string,
  reviewer: string,
  keys: readonly NamedSecret[],
): Promise<Result<ReleaseRecord>> => {
  const draft = readDraft(folder, id);
  if (!draft.ok) return draft;
  const { class: name, counter, floorEpoch, hardware, author, image, bases } = draft.value;
  const repository = repositoryIn(crypto, folder);
  if (!repository.ok) return repository;
  const quorum = repository.value.classes[name];
  const policy = { crypto, hardware, threshold: quorum.threshold, keys: quorum.custodians.map(publicKeyOf) };
  const signers = keys.map(({ secret }) => secret);
  const input = { id, counter, floorEpoch, hardware, image, bases, signers, level: 19, isForAnySource: true };
  const built = buildRelease(input, policy);
  if (!built.ok) return built;
  const custom = { releaseCounter: counter, floorEpoch, hw: [hardware] };
  const path = name === 'os' ? releasePath(id) : repairPath(hardware);
  const entry = targetEntry(crypto, path, built.value.manifest, custom);
  const slash = path.lastIndexOf('/') + 1;
  const file = targetPath(`${path.slice(0, slash)}${entry.sha256}.${path.slice(slash)}`);
  for (const [at, bytes] of [...built.value.contents, [file, built.value.manifest] as const]) {
    const stored = await repository.value.files.put(at, bytes);
    if (!stored.ok) return stored;
  }
  // What a later publication asks the verifier about.
  const rooted = writeAtomically(join(folder, 'drafts', id, 'verity-root'), built.value.facts.verityRoot, 0o644);
  if (!rooted.ok) return rooted;
  return withDesk(repository.value, folder, clock, noReferences, async (desk) => {
    const known = loadRelease(desk.store, id);
    const drafted = known.ok ? known : draftRelease(desk, { id, class: name, author, entries: [entry] });
    if (!drafted.ok) return drafted;
    const reviewed = drafted.value.state === 'reviewed' ? drafted : reviewRelease(desk, id, reviewer);
    const custodians = keys.map((key) => signerFromSecret(crypto, key.name, key.secret));
    return reviewed.ok ? signRelease(desk, id, custodians) : reviewed;
  });
};

/**
 * Public from now on, and offered to so many of a thousand devices; again to widen.
 * @param liveRoots hash trees whose reference values the verifier has (SR-13)
 */
export const publishDraft = async (
  { crypto, clock }: OfficeParts,
  folder: string,
  id: string,
  permille: number,
  keys: readonly NamedSecret[],
  liveRoots: readonly string[],
): Promise<Result<ReleaseRecord>> => {
  const repository = repositoryIn(crypto, folder);
  if (!repository.ok) return repository;
  const areReferencesLive: Desk['areReferencesLive'] = async (release) => {
    const root = readIfThere(join(folder, 'drafts', release.id, 'verity-root'));
    return root.ok ? ok(root.value !== undefined && liveRoots.includes(toHex(root.value))) : root;
  };
  return withDesk(repository.value, folder, clock, areReferencesLive, async (desk) => {
    const record = loadRelease(desk.store, id);
    if (!record.ok) return record;
    const signers = keys.map((key) => signerFromSecret(crypto, key.name, key.secret));
    const staged = record.value.state === 'signed' ? await stageRelease(desk, id, signers) : record;
    return staged.ok ? rollRelease(desk, id, permille) : staged;
  });
};

/** One root in hexadecimal a line. */
export const readRoots = (path: string): Result<readonly string[]> => {
  const bytes = readIfThere(path);
  if (!bytes.ok || bytes.value === undefined) return deny('protocol', 'file-unreadable', path);
  const lines = Buffer.from(bytes.value).toString('utf8').trim().split(/\s+/);
  const wrong = lines.find((line) => fromHex(line)?.length !== 32);
  return wrong === undefined ? ok(lines) : deny('protocol', 'config-invalid', `${path}: expected roots in hexadecimal`);
};

const noReferences: Desk['areReferencesLive'] = async () => ok(false);

const withDesk = async (
  repository: ImageRepository,
  folder: string,
  clock: OfficeParts['clock'],
  areReferencesLive: Desk['areReferencesLive'],
  work: (desk: Desk) => Promise<Result<ReleaseRecord>>,
): Promise<Result<ReleaseRecord>> => {
  const log = officeLog(repository.crypto, folder, repository.files);
  if (!log.ok) return log;
  const logged = log.value === undefined ? {} : { transparency: log.value.transparency };
  const opened: Result<DurableStore> = openDurableStore(join(folder, 'releases.db'));
  if (!opened.ok) return opened;
  try {
    return await work({ repository, store: opened.value, clock, areReferencesLive, haltAfterFailures: 2, ...logged });
  } finally {
    opened.value.close();
  }
};

const readDraft = (folder: string, id: string) => {
  const place = join(folder, 'drafts', id);
  const said = readIfThere(join(place, 'draft.json'));
  if (!said.ok) return said;
  if (said.value === undefined) return deny('unavailable', 'not-found', id);
  const draft = decodeJson(Buffer.from(said.value).toString('utf8'), draftFile);
  if (!draft.ok) return draft;
  return attempt(
    () => {
      const read = (name: string) => new Uint8Array(readFileSync(join(place, name)));
      const bases = Array.from({ length: draft.value.bases }, (_, at) => read(`base-${at}`));
      return { ...draft.value, image: read('image'), bases };
    },
    (cause) => deny('protocol', 'file-unreadable', cause),
  );
};

const repositoryIn = (crypto: CryptoBackend, folder: string): Result<ImageRepository> => {
  const bytes = readIfThere(join(folder, 'custodians.json'));
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return deny('unavailable', 'not-found', `${folder} holds no repository`);
  const decoded = decodeJson(Buffer.from(bytes.value).toString('utf8'), custodianFile);
  if (!decoded.ok) return decoded;
  const known = new Map(decoded.value.map((entry) => [entry.name, custodianOf(entry)]));
  const missing = everybody.find((name) => !known.has(name));
  if (missing !== undefined) return deny('protocol', 'config-invalid', `custodians.json: no ${missing}`);
  const quorum = (threshold: number, ...names: readonly string[]): Quorum => ({
    custodians: names.map((name) => known.get(name) as Custodian),
    threshold,
  });
  const [online, offline] = [quorum(1, machine), quorum(2, ...owners)];
  const classes = Object.fromEntries(bundleClasses.map((name) => [name, quorum(2, ...pairOf(name))])) as ClassQuorums;
  const files = folderFiles(join(folder, 'repository'));
  return ok({ crypto, files, top: { root: offline, targets: offline, snapshot: online, timestamp: online }, classes, lifetimes });
};

const custodianOf = ({ name, classical, postQuantum }: Decoded<typeof custodianFile>[number]): Custodian => ({
  name,
  ed25519: fromBase64(classical) ?? new Uint8Array(),
  mlDsa65: fromBase64(postQuantum) ?? new Uint8Array(),
});

const publicKeyOf = ({ ed25519, mlDsa65 }: Custodian): HybridPublicKey => ({
  suite: hybridSignatureSuites['enigm-ed25519-mldsa65'],
  classical: ed25519,
  postQuantum: mlDsa65,
});
