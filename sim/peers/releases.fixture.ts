/** Releases and director in one temporary folder, a device in memory that asks and installs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FactoryRelease } from '#agents/release/build';
import { folderFiles } from '#agents/release/folder-files';
import { directorCall, fetchFromAnswer, rolloutDigest, rolloutPlaces } from '#agents/update/asking';
import { directorParty } from '#agents/update/director-methods';
import { readManifest } from '#agents/update/manifest';
import { type AttestationResult, signResult } from '#attestation/result';
import { bootRecordStore, recordedBootControl } from '#hal/core/boot-record';
import { concat, toHex, utf8 } from '#hal/core/bytes';
import { codeOf, deny, ok, type Result, unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridSignatureSuites } from '#hal/crypto/suites';
import { memoryBlockDevice, memorySlots } from '#hal/memory/block-device';
import { virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import type { Clock } from '#hal/ports/clock';
import type { FetchRange } from '#ota-client/apply/fetch';
import { type InstallProgress, install } from '#ota-client/apply/install';
import { installer } from '#ota-client/apply/installer';
import { slotSwitch } from '#ota-client/apply/switch';
import { encodeIndex, sha256 } from '#ota-client/payload/segment-index';
import { hashAreaBytes, veritySuperblock, verityTree } from '#ota-client/payload/verity';
import { metadataPath } from '#ota-client/repository/files';
import { provisionSlots } from '#ota-client/slots/factory';
import { slotKeeper } from '#ota-client/slots/keeper';
import { ledgerStore } from '#ota-client/slots/ledger';
import { openStatement } from '#ota-client/slots/statement';
import type { Bundle } from '#ota-client/trust/bundle';
import { deviceTrust } from '#ota-client/trust/device-trust';
import { eligibleTarget } from '#ota-client/trust/eligible';
import { type Repository, refresh } from '#ota-client/trust/refresh';
import type { Fetch } from '#ota-client/trust/session';
import { targetFileName } from '#ota-client/trust/target-file';
import type { DirectorTargets } from '#protos/gen/types';
import { type OpenedDirector, openDirector } from './director.ts';
import type { BuildImage } from './image-build.ts';
import { treeImages } from './release-plans.ts';
import { openReleases, type Releases, type ReleasesOptions } from './releases.ts';
import { verifierName } from './verifier.ts';

export const never = new AbortController().signal;
export const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const random = seededRandom('releases');
export const secrets = {
  custodians: random.bytes(32),
  verifier: { suite, classical: random.bytes(32), postQuantum: random.bytes(32) },
};

/** Stands for the system's tool: files one after the other. */
const joinedFiles: BuildImage = async (tree) =>
  ok(concat(...[...tree].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([path, content]) => [utf8(`${path}\n`), content])));

export const releaseSite = async (options: Partial<ReleasesOptions> = {}) => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-releases-'));
  const programs = join(directory, 'programs');
  mkdirSync(programs);
  // More than one segment that differs in no two places.
  writeFileSync(join(programs, 'agentd.cjs'), seededRandom('a program').bytes(700_000));
  writeFileSync(join(programs, 'hald.cjs'), seededRandom('another program').bytes(100_000));
  const clock = virtualClock();
  const live = new Set<string>();
  const open = async () =>
    unwrap(
      await openReleases({
        ...{ directory, secrets, clock, imageOf: treeImages(programs, joinedFiles) },
        areReferencesLive: (root) => live.has(toHex(root)),
        ...options,
      }),
    );
  const releases = await open();
  const director = unwrap(await openDirector({ directory, secrets, clock, releases }));
  const files = folderFiles(join(directory, 'repository'));
  return {
    ...{ directory, clock, releases, director, files, reopen: open },
    /** The verifier knows what a device with this release measures. */
    makeLive: ({ facts }: FactoryRelease) => live.add(toHex(facts.verityRoot)),
    dispose: () => {
      releases.close();
      rmSync(directory, { recursive: true });
    },
  };
};
export type ReleaseSite = Awaited<ReturnType<typeof releaseSite>>;

/** What a verifier would say of a device, and what that device asks then. */
export interface Asking {
  readonly says?: Partial<AttestationResult>;
  readonly counter?: number;
  readonly hardware?: string;
  readonly releaseIds?: readonly string[];
  /** Of the evidence; what the question names is not changed by it. */
  readonly committed?: Uint8Array;
  readonly nonce?: Uint8Array;
  readonly handleKey?: Uint8Array;
  /** Whose key signs the question. */
  readonly confirmationSecret?: Uint8Array;
}

const ownSecret = seededRandom('confirmation key').bytes(32);
export const deviceNonce = new Uint8Array(32).fill(4);

export const callOf = (nowMs: number, asking: Asking = {}) => {
  const { releaseIds = [], handleKey = new Uint8Array(16), confirmationSecret = ownSecret, says = {} } = asking;
  const places = rolloutPlaces(nodeCrypto, handleKey, releaseIds);
  const committed = asking.committed ?? (releaseIds.length === 0 ? undefined : rolloutDigest(places));
  const nowSeconds = Math.floor(nowMs / 1000);
  const result: AttestationResult = {
    ...{ verifier: verifierName, relyingParty: directorParty, status: 'affirming', trustVector: {}, tpmClass: 'software' },
    ...{ policy: 'a-policy', deviceNonce, handle: new Uint8Array(16).fill(1), epoch: 1, bootId: new Uint8Array(16) },
    confirmationKey: nodeCrypto.ed25519.publicKey(ownSecret),
    ...{ issuedAtSeconds: nowSeconds, expiresAtSeconds: nowSeconds + 600 },
    ...(committed === undefined ? {} : { rollout: committed }),
    ...says,
  };
  const passport = {
    result: signResult(nodeCrypto, result, secrets.verifier),
    sign: (message: Uint8Array) => nodeCrypto.ed25519.sign(confirmationSecret, message) as Uint8Array,
  };
  return directorCall(passport, {
    ...{ nonce: asking.nonce ?? deviceNonce, hardware: asking.hardware ?? 'simulated' },
    ...{ releaseCounter: asking.counter ?? 1, floorEpoch: 0, places },
  });
};

export const ask = ({ clock, director }: { clock: ReleaseSite['clock']; director: OpenedDirector }, asking: Asking = {}) =>
  director.targets(callOf(clock.nowMs(), asking));

const refreshed = (site: ReleaseSite, pinnedRoot: Uint8Array, fetch: Fetch): Promise<Result<Repository>> =>
  refresh(
    deviceTrust({ crypto: nodeCrypto, store: memoryStore(), pinnedRoot, fetch }),
    { nowMs: site.clock.nowMs(), floorMs: 0 },
    never,
  );

export const imageRepository = (site: ReleaseSite): Promise<Result<Repository>> =>
  refreshed(site, site.releases.root, async (name, maxBytes) => {
    const read = await site.files.get(metadataPath(name));
    if (!read.ok) return read;
    if (read.value === undefined) return deny('unavailable', 'not-found', name);
    return read.value.length > maxBytes ? deny('protocol', 'too-large', name) : ok(read.value);
  });

/** What the device makes of an answer. */
export const eligible = async (
  site: ReleaseSite,
  answer: DirectorTargets,
  device: { readonly counter?: number; readonly nonce?: Uint8Array } = {},
): Promise<Result<Bundle | undefined>> => {
  const image = await imageRepository(site);
  if (!image.ok) return image;
  const director = await refreshed(site, site.director.root, fetchFromAnswer(answer));
  if (!director.ok) return director;
  return eligibleTarget(nodeCrypto, director.value, image.value, {
    ...{ hardwareId: 'simulated', floorEpoch: 0 },
    ...{ releaseCounter: device.counter ?? 1, nonce: device.nonce ?? deviceNonce },
  });
};

export const slotContent = ({ image, salt, uuid }: FactoryRelease): Uint8Array => {
  const parameters = { imageBytes: image.length, salt, uuid };
  const tree = verityTree(parameters);
  const area = new Uint8Array(hashAreaBytes(image.length));
  area.set(veritySuperblock(parameters));
  const first = tree.update(image);
  const { blocks } = tree.finish();
  for (const { offsetBytes, bytes } of [...first, ...blocks]) area.set(bytes, offsetBytes);
  return concat(image, area);
};

/** A device with the factory's release in slot a; its hands open statements themselves (SR-01). */
export const memoryDevice = async ({ releases, clock }: { readonly releases: Releases; readonly clock: Clock }) => {
  const { factory } = releases;
  const content = slotContent(factory);
  const slotBytes = 2 * content.length;
  const media = { a: memoryBlockDevice(slotBytes), b: memoryBlockDevice(slotBytes) };
  media.a.load(content);
  const boot = bootRecordStore(memoryBlockDevice(twinRecordBytes));
  const ledger = ledgerStore(memoryBlockDevice(twinRecordBytes));
  unwrap(await provisionSlots(boot, ledger, factory.facts));
  const running = { slot: 'a', verityRoot: factory.facts.verityRoot } as const;
  const keeper = slotKeeper(
    recordedBootControl(boot, async () => ok(running)),
    ledger,
  );
  const floor = { read: async () => ok(0) };
  const verifyArm = (envelope: Uint8Array) => {
    for (const name of ['os', 'repair'] as const) {
      const opened = openStatement(releases.policyOf(name), envelope);
      if (opened.ok) return ok(opened.value.release);
    }
    return deny('integrity', 'signature-invalid');
  };
  const hands = {
    installer: installer({ slots: memorySlots(media), keeper, floor }),
    switch: slotSwitch({ keeper, floor, verifyArm }),
  };
  return {
    hands,
    written: (length: number) => media.b.durable().subarray(0, length),
    /** @param knowsBase whether it knows which image it runs. @returns how segments were made, or the fault */
    async install(manifest: Uint8Array, name: 'os' | 'repair', mirror: FetchRange, knowsBase: boolean) {
      const { statement, files } = unwrap(readManifest(manifest));
      const opened = openStatement(releases.policyOf(name), statement);
      if (!opened.ok) return opened;
      let last: InstallProgress | undefined;
      const order = { ...opened.value, owner: 'test', isForced: false };
      const source = { index: sha256(encodeIndex(factory.index)), device: media.a };
      const parts = {
        ...{ mirrors: [mirror], installer: hands.installer, clock },
        ...(knowsBase ? { running: source } : {}),
        onProgress: (progress: InstallProgress) => {
          last = progress;
        },
      };
      const installed = await install(order, files, parts, never);
      if (!installed.ok) return installed;
      const armed = await hands.switch.arm(statement);
      return armed.ok ? ok({ outcome: armed.value, made: last?.made, fetchedBytes: last?.fetchedBytes ?? 0 }) : armed;
    },
  };
};

/** The mirror is the folder itself. */
export const folderMirror =
  ({ files }: Pick<ReleaseSite, 'files'>): FetchRange =>
  async (path, offsetBytes, lengthBytes) => {
    const read = await files.get(path);
    if (!read.ok) return read;
    return read.value === undefined
      ? deny('unavailable', 'not-found', path)
      : ok(read.value.slice(offsetBytes, offsetBytes + lengthBytes));
  };

/** The content of a target that was found to be eligible. */
export const manifestOfBundle = async (site: ReleaseSite, { target }: Bundle): Promise<Uint8Array> => {
  const image = unwrap(await imageRepository(site));
  return unwrap(await site.files.get(`targets/${targetFileName(image, target)}`)) ?? new Uint8Array();
};
