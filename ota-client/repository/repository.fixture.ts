/** An image repository with its desk, a director, and a device of both, all in memory. */

import { utf8 } from '#hal/core/bytes';
import { ok, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import { deviceTrust } from '#ota-client/trust/device-trust';
import type { JsonObject } from '#ota-client/trust/json';
import { type Repository, refresh } from '#ota-client/trust/refresh';
import { type BundleClass, bundleClasses } from '#ota-client/trust/release';
import type { Trust } from '#ota-client/trust/session';
import { type TargetEntry, targetEntry } from './compose.ts';
import { type Quorum, type Signer, signerFromSecret } from './custodian.ts';
import type { Director } from './director.ts';
import { consistentPath, fetchMetadata, memoryFiles, metadataPath } from './files.ts';
import { type ClassQuorums, createRepository, type ImageRepository, lifetimes, publishRoot, type TopQuorums } from './publish.ts';
import { type Desk, draftRelease, offers, reviewRelease, rollRelease, signRelease, stageRelease } from './publisher.ts';
import { loadRelease } from './release-record.ts';

const random = seededRandom('repository fixture');
const known = new Map<string, Signer>();

/** The same name is the same custodian in every test of a run. */
export const custodian = (name: string): Signer => {
  const pair = hybridKeyPair(nodeCrypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], random);
  const signer = known.get(name) ?? signerFromSecret(nodeCrypto, name, pair.secretKey);
  known.set(name, signer);
  return signer;
};
const quorum = (threshold: number, ...names: readonly string[]): Quorum => ({ custodians: names.map(custodian), threshold });

export const offline = ['ada', 'bea', 'cyd'].map(custodian);
export const ci = [custodian('ci')];
export const keepers = (name: BundleClass): readonly Signer[] => [custodian(`${name}-keeper`)];

const top: TopQuorums = {
  root: quorum(2, 'ada', 'bea', 'cyd'),
  targets: quorum(2, 'ada', 'bea', 'cyd'),
  snapshot: quorum(1, 'ci'),
  timestamp: quorum(1, 'ci'),
};
const directorTop: TopQuorums = {
  root: quorum(2, 'ada', 'bea', 'cyd'),
  targets: quorum(1, 'director'),
  snapshot: quorum(1, 'director'),
  timestamp: quorum(1, 'director'),
};
const classes = Object.fromEntries(bundleClasses.map((name) => [name, quorum(1, `${name}-keeper`)])) as ClassQuorums;

export const everybody = [...offline, ...ci, ...bundleClasses.flatMap(keepers)];

export const image = utf8('an image');
export const osEntry = (name: string, custom: JsonObject = {}) =>
  targetEntry(nodeCrypto, `os/${name}`, image, { releaseCounter: 2, floorEpoch: 0, hw: ['board-1'], ...custom });

export const site = async () => {
  const clock = virtualClock();
  const kept = new Map<string, Uint8Array>();
  const files = memoryFiles(kept);
  const repository: ImageRepository = { crypto: nodeCrypto, files, top, classes, lifetimes };
  unwrap(await createRepository(repository, everybody, clock.nowMs()));
  const live = new Set<string>();
  const desk: Desk = {
    repository,
    store: memoryStore(),
    clock,
    areReferencesLive: async ({ id }) => ok(live.has(id)),
    haltAfterFailures: 2,
  };
  const directorFiles = memoryFiles();
  const director: Director = {
    crypto: nodeCrypto,
    files: directorFiles,
    top: directorTop,
    lifetimes,
    signers: [custodian('director')],
    clock,
    offers: async () => offers(desk),
  };
  unwrap(await publishRoot(director, directorTop, offline, clock.nowMs()));

  const trustOf = (root: Uint8Array | undefined, fetch: Trust['fetch']): Trust =>
    deviceTrust({ crypto: nodeCrypto, fetch, store: memoryStore(), pinnedRoot: root ?? new Uint8Array() });
  const time = () => ({ nowMs: clock.nowMs(), floorMs: 0 });
  const signal = new AbortController().signal;
  const imageTrust = trustOf(kept.get(metadataPath('1.root.json')), fetchMetadata(files));
  const directorRoot = unwrap(await directorFiles.get(metadataPath('1.root.json')));
  return {
    clock,
    kept,
    files,
    repository,
    desk,
    director,
    live,
    imageTrust,
    openImage: (): Promise<Result<Repository>> => refresh(imageTrust, time(), signal),
    openDirector: (answer: ReadonlyMap<string, Uint8Array>): Promise<Result<Repository>> =>
      refresh(trustOf(directorRoot, fetchMetadata(memoryFiles(new Map(answer)))), time(), signal),
    /** The file of an entry, where a device fetches it. */
    upload: (entry: TargetEntry) => {
      kept.set(consistentPath(entry), image);
    },
  };
};
export type Site = Awaited<ReturnType<typeof site>>;

/** Of the release of `drafted` and `rolling`. */
export const id = '2026.11';
/** A site with one draft, whose file and reference values are there. */
export const drafted = async (place?: Site): Promise<Site> => {
  const here = place ?? (await site());
  const entry = osEntry(id);
  here.upload(entry);
  here.live.add(id);
  unwrap(draftRelease(here.desk, { id, class: 'os', author: 'ada', custom: entry.custom, entries: [entry] }));
  return here;
};
/** The same, offered to so many of a thousand. */
export const rolling = async (permille = 1000): Promise<Site> => {
  const here = await drafted();
  unwrap(reviewRelease(here.desk, id, 'bea'));
  unwrap(await signRelease(here.desk, id, keepers('os')));
  unwrap(await stageRelease(here.desk, id, ci));
  unwrap(await rollRelease(here.desk, id, permille, 'pat'));
  return here;
};
export const stateOf = ({ desk }: Site): string => unwrap(loadRelease(desk.store, id)).state;
