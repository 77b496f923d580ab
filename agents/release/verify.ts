/**
 * What anybody can verify of a release without a device: a repository from a root, a manifest and an image by the keys
 * that hands are started with. Each says what it verified, by whose keys, and what it did not look at.
 */
import { type ManifestContent, readManifest } from '#agents/update/manifest';
import { equalBytes, fromHex } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import type { PinnedFile } from '#ota-client/payload/files';
import type { Image } from '#ota-client/payload/image';
import { consistentPath, fetchMetadata, type StaticFiles } from '#ota-client/repository/files';
import { openStatement, type ReleasePolicy, type ReleaseStatement } from '#ota-client/slots/statement';
import { checkProof, type ProvedEntry } from '#ota-client/transparency/check';
import { type LogEntry, proofPath } from '#ota-client/transparency/entry';
import type { LogTrust } from '#ota-client/transparency/log-trust';
import { type Bundle, findBundle } from '#ota-client/trust/bundle';
import { custodiansOf } from '#ota-client/trust/custodians';
import { deviceTrust } from '#ota-client/trust/device-trust';
import { classTargets } from '#ota-client/trust/listing';
import { type Repository, refresh } from '#ota-client/trust/refresh';
import { type BundleClass, bundleClasses } from '#ota-client/trust/release';
import { checkTargetFile } from '#ota-client/trust/target-file';
import { treeOf } from './build.ts';

/** The classes whose releases are written into slots. */
export const writtenClasses = ['os', 'repair'] as const;
export type WrittenClass = (typeof writtenClasses)[number];

export interface VerifiedRelease {
  readonly path: string;
  /** Who may sign for the class, and how many of them must. */
  readonly custodians: readonly string[];
  readonly threshold: number;
  readonly hardware: string;
  readonly statement: ReleaseStatement;
  /** Of its payload: those whose hash the manifest pins. */
  readonly files: number;
  /** Absent where nobody said which log. */
  readonly log?: ProvedEntry;
}

export interface VerifiedRepository {
  readonly rootVersion: number;
  readonly expiresMs: number;
  readonly releases: readonly VerifiedRelease[];
  /** The newest of each class's list, of those that have one. */
  readonly listVersions: ReadonlyMap<BundleClass, number>;
}

export interface RepositoryToVerify {
  readonly files: Pick<StaticFiles, 'get'>;
  /** Root metadata from elsewhere, as it lies in the image of a device. */
  readonly root: Uint8Array;
  readonly log: LogTrust | undefined;
  readonly nowMs: number;
}

const crypto = nodeCrypto;
const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];

/** @returns every release that the repository names now; or the first fault: of `refresh`, of `findBundle`, of a file, of the log */
export const verifyRepository = async (
  { files, root, log, nowMs }: RepositoryToVerify,
  signal: AbortSignal,
): Promise<Result<VerifiedRepository>> => {
  const trust = deviceTrust({ crypto, fetch: fetchMetadata(files), store: forgetful(), pinnedRoot: root });
  const repository = await refresh(trust, { nowMs, floorMs: 0 }, signal);
  if (!repository.ok) return repository;
  const releases: VerifiedRelease[] = [];
  for (const name of writtenClasses) {
    const listed = await classTargets(repository.value, name);
    if (!listed.ok) return listed;
    for (const path of listed.value.keys()) {
      const release = await verifyListed(files, repository.value, name, path, log);
      if (!release.ok) return release;
      releases.push(release.value);
    }
  }
  const { root: newest, targets, snapshot } = repository.value;
  const { version: rootVersion } = newest;
  return ok({ rootVersion, expiresMs: targets.expires, releases, listVersions: listVersionsIn(snapshot) });
};

const listVersionsIn = ({ meta }: Repository['snapshot']): VerifiedRepository['listVersions'] =>
  new Map(
    bundleClasses.flatMap((name) => {
      const listed = meta.get(`${name}.json`);
      return listed === undefined ? [] : [[name, listed.version] as const];
    }),
  );

const verifyListed = async (
  files: Pick<StaticFiles, 'get'>,
  repository: Repository,
  name: WrittenClass,
  path: string,
  log: LogTrust | undefined,
): Promise<Result<VerifiedRelease>> => {
  const bundle = await findBundle(repository, name, path);
  if (!bundle.ok) return bundle;
  const { file } = bundle.value.target;
  const bytes = await fileOf(files, consistentPath({ path, sha256: file.hashes.get('sha256') ?? '' }));
  const checked = bytes.ok ? checkTargetFile(crypto, file, bytes.value) : bytes;
  const manifest = checked.ok ? readManifest(checked.value) : checked;
  if (!manifest.ok) return manifest;
  const quorum = classQuorum(repository, name);
  if (!quorum.ok) return quorum;
  const opened = openFor(bundle.value, quorum.value, manifest.value);
  if (!opened.ok) return opened;
  const pinned = await checkPinned(files, manifest.value);
  if (!pinned.ok) return pinned;
  const proved = log === undefined ? ok(undefined) : await inLog(files, repository, name, opened.value.statement, log);
  if (!proved.ok) return proved;
  return ok({
    ...{ path, files: pinned.value, ...opened.value },
    ...{ custodians: [...quorum.value.keys.keys()], threshold: quorum.value.threshold },
    ...(proved.value === undefined ? {} : { log: proved.value }),
  });
};

interface ClassQuorum {
  /** By custodian. */
  readonly keys: ReadonlyMap<string, HybridPublicKey>;
  readonly threshold: number;
}

/** Those who sign the metadata of a class sign its statements. */
const classQuorum = ({ targets }: Repository, name: WrittenClass): Result<ClassQuorum> => {
  const role = targets.delegations?.roles.find((candidate) => candidate.name === name);
  if (role === undefined) return deny('policy', 'target-missing', name);
  const custodians = custodiansOf({ role: name, roleKeys: role, keys: targets.delegations?.keys ?? new Map() });
  if (!custodians.ok) return custodians;
  const keyOf = (
    pair: { readonly [Class in 'classical' | 'post-quantum']: { readonly key: { readonly publicKey: Uint8Array } } },
  ) => ({
    ...{ suite, classical: pair.classical.key.publicKey, postQuantum: pair['post-quantum'].key.publicKey },
  });
  const keys = new Map([...custodians.value].map(([custodian, pair]) => [custodian, keyOf(pair)]));
  return ok({ keys, threshold: role.threshold });
};

const openFor = (
  { release }: Bundle,
  { keys, threshold }: ClassQuorum,
  manifest: ManifestContent,
): Result<{ readonly statement: ReleaseStatement; readonly hardware: string }> => {
  const opened = openForHardware(
    (release.hw ?? []).map((hardware) => ({ crypto, keys: [...keys.values()], threshold, hardware })),
    manifest,
  );
  if (!opened.ok) return opened;
  const { counter, floorEpoch } = opened.value.statement.release;
  return counter === release.releaseCounter && floorEpoch === (release.floorEpoch ?? 0)
    ? opened
    : deny('integrity', 'target-mismatch', 'numbers of the release statement');
};

/** @param policies one of these must open the statement. @returns it, and for which hardware; or why the first does not */
export const openForHardware = (
  policies: readonly ReleasePolicy[],
  { statement }: Pick<ManifestContent, 'statement'>,
): Result<{ readonly statement: ReleaseStatement; readonly hardware: string }> => {
  let first: Result<never> | undefined;
  for (const policy of policies) {
    const opened = openStatement(policy, statement);
    if (opened.ok) return ok({ statement: opened.value, hardware: policy.hardware });
    first ??= opened;
  }
  return first ?? deny('policy', 'hardware-mismatch', 'for no hardware');
};

const checkPinned = async (files: Pick<StaticFiles, 'get'>, { files: payload }: ManifestContent): Promise<Result<number>> => {
  const recipes = [payload.full, ...payload.pairs].map(({ recipe }) => recipe);
  const pinned: readonly PinnedFile[] = [
    payload.index,
    ...recipes,
    ...(payload.units === undefined ? [] : [payload.units.locator]),
  ];
  for (const { path, sha256, lengthBytes } of pinned) {
    const bytes = await fileOf(files, path);
    if (!bytes.ok) return bytes;
    if (bytes.value.length !== lengthBytes || !equalBytes(crypto.hash('sha256', bytes.value), sha256))
      return deny('integrity', 'target-mismatch', path);
  }
  return ok(pinned.length);
};

/** @returns where the statement stands; the metadata of its class must stand there too */
const inLog = async (
  files: Pick<StaticFiles, 'get'>,
  { snapshot }: Repository,
  name: WrittenClass,
  { release }: ReleaseStatement,
  log: LogTrust,
): Promise<Result<ProvedEntry>> => {
  const targets = fromHex(snapshot.meta.get(`${name}.json`)?.hashes?.get('sha256') ?? '') ?? new Uint8Array();
  const prove = async (entry: LogEntry) => {
    const proof = await files.get(proofPath(entry));
    return proof.ok ? checkProof(crypto, log, entry, proof.value) : proof;
  };
  const metadata = await prove({ kind: 'targets', digest: targets });
  return metadata.ok ? prove({ kind: 'statement', digest: release.digest }) : metadata;
};

/** @returns nothing; or `integrity/image-mismatch` where the hash tree of the image has another root, or its size is another */
export const verifyImage = async (image: Image, { release, salt, uuid }: ReleaseStatement): Promise<Result<void>> => {
  const tree = await treeOf(image, { salt, uuid });
  if (!tree.ok) return tree;
  const { index, verityRoot } = tree.value;
  return index.imageBytes === release.imageBytes && equalBytes(verityRoot, release.verityRoot)
    ? ok(undefined)
    : deny('integrity', 'image-mismatch', `${index.imageBytes} bytes`);
};

const fileOf = async (files: Pick<StaticFiles, 'get'>, path: string): Promise<Result<Uint8Array>> => {
  const bytes = await files.get(path);
  if (!bytes.ok) return bytes;
  return bytes.value === undefined ? deny('unavailable', 'not-found', path) : ok(bytes.value);
};

/** Of one look: nothing is known from an earlier one. */
const forgetful = () => {
  const kept = new Map<string, Uint8Array>();
  return {
    get: (name: string) => ok(kept.get(name)),
    put: (name: string, bytes: Uint8Array) => {
      kept.set(name, bytes);
      return ok(undefined);
    },
  };
};
