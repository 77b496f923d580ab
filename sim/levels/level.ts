/**
 * A level of the simulator: peers in this process, and devices of whatever body the level gives them. Everything is under
 * one directory; closing the world leaves neither a process nor a socket.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ReferenceSet } from '#attestation/references';
import { unwrap } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';
import type { BuildPaths } from '#sim/machine/launch';
import type { OpenLine } from '#sim/machine/line';
import { type BeaconPeers, startBeaconPeers } from '#sim/peers/beacon';
import { referenceEnyra } from '#sim/peers/enyra';
import { type FleetOptions, startFleet } from '#sim/peers/fleet';
import { referenceIssuer } from '#sim/peers/issuer';
import { factoryPlan, type ImageOfPlan } from '#sim/peers/release-plans';
import type { Releases } from '#sim/peers/releases';
import { openPeerSecrets, type PeerSecrets } from '#sim/peers/secrets';
import { startUpdates } from '#sim/peers/updates';
import { startVerifier } from '#sim/peers/verifier';
import { accountHandle } from '#sim/scenarios/person';
import type { Device, World } from '#sim/world/world';
import { siteOf } from './device-site.ts';
import { openReferences } from './references.ts';

/** What a device of a level is made of. */
export interface Body {
  readonly device: Device;
  isOn(): boolean;
  /** Ends every process of it and removes every socket; safe at any time and more than once. */
  dispose(): Promise<void>;
}

export interface BodyOptions {
  readonly name: string;
  readonly directory: string;
  /** The configuration that it finds at its next start. */
  readonly site: () => string;
  readonly releases: Releases;
  readonly secrets: PeerSecrets;
  readonly until: World['until'];
  /** Aborts when the world is closed. */
  readonly signal: AbortSignal;
}

/** The first device has the page and a Key. */
export interface FirstBodyOptions extends BodyOptions {
  readonly beacon: BeaconPeers;
}

/** What devices of a level start, and what they measure then. */
export interface Images {
  readonly imageOf: ImageOfPlan;
  /** @param verityRoot of a slot with this release */
  readonly referencesOf: (name: string, verityRoot: Uint8Array) => readonly ReferenceSet[];
}

export interface LevelOptions<B extends Body> {
  /** Everything that is kept: devices, peers. */
  readonly directory: string;
  readonly paths: BuildPaths;
  readonly clock: Clock;
  readonly random: Random;
  readonly first: (options: FirstBodyOptions) => B;
  readonly second: (options: BodyOptions) => Body;
  readonly images: Images;
  /** The line of the first device's Key. */
  readonly openKeyLine: OpenLine;
  readonly network: World['network'];
  /** How many times longer than real processes everything may take. */
  readonly patience?: number;
}

export interface Level<B extends Body> extends World {
  readonly first: B;
  /** Powers the first device on, as it was left. */
  start(): Promise<void>;
  /** Ends every process and removes every socket; safe at any time and more than once. */
  close(): Promise<void>;
}

const defaultWithinMs = 15_000;
const pollMs = 40;

export const openLevel = async <B extends Body>(options: LevelOptions<B>): Promise<Level<B>> => {
  const { directory, paths, clock, random, images, openKeyLine, patience = 1 } = options;
  const peersDirectory = join(directory, 'peers');
  mkdirSync(peersDirectory, { recursive: true, mode: 0o700 });
  const secrets = await openPeerSecrets(peersDirectory, clock, random);
  const references = openReferences(peersDirectory, images.referencesOf);
  const verifier = await startVerifier({
    directory: peersDirectory,
    secrets,
    clock,
    random,
    references: references.sets,
    requiresSecureBoot: true,
  });
  const updates = unwrap(
    await startUpdates({
      ...{ directory: peersDirectory, imageOf: images.imageOf, secrets, clock },
      areReferencesLive: references.has,
    }),
  );
  const { releases, director } = updates;
  unwrap(references.add(factoryPlan.id, releases.factory.facts.verityRoot));
  const onReport: FleetOptions['onReport'] = (handle, report) => void director.note(handle, report);
  const fleet = unwrap(await startFleet({ directory: peersDirectory, secrets, clock, random, onReport }));
  const recordedEvidence: Uint8Array[] = [];
  const record = (evidence: Uint8Array): Uint8Array => {
    if (recordedEvidence.length < 16) recordedEvidence.push(evidence);
    return evidence;
  };
  verifier.takePath({ onAttestFinish: record });
  const ending = new AbortController();

  const until: World['until'] = async (what, fact, withinMs = defaultWithinMs) => {
    const deadlineMs = clock.bootMs() + withinMs * patience;
    while (!(await fact())) {
      if (ending.signal.aborted) throw new Error('the world is closed');
      if (clock.bootMs() > deadlineMs) throw new Error(`after ${withinMs * patience} ms still not: ${what}`);
      await clock.sleep(pollMs, ending.signal);
    }
  };

  const beacon = await startBeaconPeers({
    ...{ directory: join(directory, 'key'), firmware: paths.key, secrets, clock, random },
    openLine: openKeyLine,
  });
  const bodyOptions = (name: string, key: BeaconPeers | undefined): BodyOptions => ({
    ...{ name, directory: join(directory, name), releases, secrets, until, signal: ending.signal },
    site: () => siteOf(verifier, secrets, fleet, updates, key),
  });
  const first = options.first({ ...bodyOptions('device-1', beacon), beacon });
  let second: Body | undefined;

  const secondDevice = async (): Promise<Device> => {
    if (ending.signal.aborted) throw new Error('the world is closed');
    second ??= options.second(bodyOptions('device-2', undefined));
    if (second.isOn()) return second.device;
    await second.device.powerOn();
    await second.device.answers();
    const status = await second.device.enigmctl('status');
    if (status.json['lifecycle'] === 'unprovisioned') await second.device.enigmctl('provision');
    const { app } = second.device;
    await until('the second device serves its door', async () => (await app.call('device.status', {})).ok);
    await second.device.enigmctl('enrol');
    return second.device;
  };

  let closing: Promise<void> | undefined;
  let isSessionElsewhere = false;
  return {
    first,
    device: first.device,
    secondDevice,
    issuer: referenceIssuer(clock, secrets.identityIssuer, secrets.accountService),
    enyra: referenceEnyra(clock, secrets.enyra, secrets.accountService),
    subject: secrets.subject,
    session: random.bytes(16),
    sessionHandle: async () => accountHandle(isSessionElsewhere ? await secondDevice() : first.device, until),
    openSessionElsewhere: async () => {
      isSessionElsewhere = true;
    },
    takePath: verifier.takePath,
    fleet,
    updates,
    fate: { isUnhealthy: false, permille: 1000, rotsBeforeTrial: false, isUnlogged: false, isEmpty: false, repairSigners: 2 },
    knowRelease: ({ id, facts }) => void unwrap(references.add(id, facts.verityRoot)),
    network: options.network,
    beacon,
    recordedEvidence,
    until,
    start: () => first.device.powerOn(),
    close() {
      ending.abort();
      closing ??= Promise.all([first.dispose(), second?.dispose()]).then(() =>
        Promise.all([verifier.close(), fleet.close(), updates.close(), beacon.close()]).then(() => undefined),
      );
      return closing;
    },
  };
};
