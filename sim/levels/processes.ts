/**
 * The level at which a device is real processes on this machine: the world of `make run`.
 *
 * Peers live in this process, devices in their own; everything is under one directory, every socket under one short
 * run directory, and closing the world leaves neither a process nor a socket.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unwrap } from '#hal/core/result';
import { networkLab } from '#hal/linux/network-lab';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import type { Factory } from '#sim/machine/factory';
import type { BuildPaths } from '#sim/machine/launch';
import { type Machine, type MachineOptions, simulatedMachine, type TpmKind } from '#sim/machine/machine';
import { certifyEndorsement } from '#sim/peers/authority';
import { startBeaconPeers } from '#sim/peers/beacon';
import { referenceEnyra } from '#sim/peers/enyra';
import { type FleetOptions, startFleet } from '#sim/peers/fleet';
import { referenceIssuer } from '#sim/peers/issuer';
import { factoryPlan } from '#sim/peers/release-plans';
import type { Releases } from '#sim/peers/releases';
import { openPeerSecrets } from '#sim/peers/secrets';
import { startUpdates } from '#sim/peers/updates';
import { startVerifier } from '#sim/peers/verifier';
import { accountHandle } from '#sim/scenarios/person';
import type { Device, World } from '#sim/world/world';
import { siteOf } from './device-site.ts';
import { processDevice } from './process-device.ts';
import { openReferences } from './references.ts';

export interface ProcessWorldOptions {
  /** Everything that is kept: devices, peers. */
  readonly directory: string;
  readonly tpm: TpmKind;
  readonly paths: BuildPaths;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface ProcessWorld extends World {
  readonly machine: Machine;
  /** Powers the first device on, as it was left. */
  start(): Promise<void>;
  /** Ends every process and removes every socket; safe at any time and more than once. */
  close(): Promise<void>;
}

const defaultWithinMs = 15_000;
const pollMs = 40;

/** Short and stable: unix socket paths have at most 107 bytes, working directories may be long. */
export const runDirectoryOf = (directory: string): string =>
  join(tmpdir(), `enigm-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`);

export const openProcessWorld = async (options: ProcessWorldOptions): Promise<ProcessWorld> => {
  const { directory, paths, clock, random, log } = options;
  const peersDirectory = join(directory, 'peers');
  mkdirSync(peersDirectory, { recursive: true, mode: 0o700 });
  const secrets = await openPeerSecrets(peersDirectory, clock, random);
  const references = openReferences(peersDirectory, paths.programs);
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
      ...{ directory: peersDirectory, programs: paths.programs, secrets, clock },
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
    const deadlineMs = clock.bootMs() + withinMs;
    while (!(await fact())) {
      if (ending.signal.aborted) throw new Error('the world is closed');
      if (clock.bootMs() > deadlineMs) throw new Error(`after ${withinMs} ms still not: ${what}`);
      await clock.sleep(pollMs, ending.signal);
    }
  };

  const machines: Machine[] = [];
  const lab = await networkLab();
  const beacon = await startBeaconPeers({ directory: join(directory, 'key'), firmware: paths.key, secrets, clock, random });
  const newDevice = (name: string, { hasPage, network, keyLink }: Pick<MachineOptions, 'hasPage' | 'network' | 'keyLink'>) => {
    if (ending.signal.aborted) throw new Error('the world is closed');
    const deviceDirectory = join(directory, name);
    const machine = simulatedMachine({
      directory: deviceDirectory,
      runDirectory: runDirectoryOf(deviceDirectory),
      tpm: options.tpm,
      paths,
      clock,
      log,
      certifyEndorsement: (endorsementPublic) => certifyEndorsement(secrets.tpmMaker, endorsementPublic, clock),
      factory: factoryOf(releases),
      hasPage,
      ...(network === undefined ? {} : { network }),
      ...(keyLink === undefined ? {} : { keyLink }),
    });
    machines.push(machine);
    return {
      machine,
      device: processDevice(
        name,
        machine,
        paths,
        () => siteOf(verifier, secrets, fleet, updates, keyLink === undefined ? undefined : beacon),
        until,
        ending.signal,
      ),
    };
  };
  const first = newDevice('device-1', {
    hasPage: true,
    ...(lab.ok ? { network: lab.value.device.before } : {}),
    ...(beacon.key.ok ? { keyLink: beacon.key.value.linkPath } : {}),
  });
  let second: ReturnType<typeof newDevice> | undefined;

  const secondDevice = async (): Promise<Device> => {
    second ??= newDevice('device-2', { hasPage: false });
    if (second.machine.isOn()) return second.device;
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
    machine: first.machine,
    device: first.device,
    secondDevice,
    issuer: referenceIssuer(clock, secrets.identityIssuer, secrets.accountService),
    enyra: referenceEnyra(clock, secrets.enyra, secrets.accountService),
    subject: secrets.subject,
    session: random.bytes(16),
    sessionHandle: async () => accountHandle(isSessionElsewhere ? await secondDevice() : first.device),
    openSessionElsewhere: async () => {
      isSessionElsewhere = true;
    },
    takePath: verifier.takePath,
    fleet,
    updates,
    fate: { isUnhealthy: false, permille: 1000, rotsBeforeTrial: false, repairSigners: 2 },
    knowRelease: ({ id, facts }) => void unwrap(references.add(id, facts.verityRoot)),
    network: lab,
    beacon,
    recordedEvidence,
    until,
    start: () => first.device.powerOn(),
    close() {
      ending.abort();
      closing ??= Promise.all(machines.map((machine) => machine.dispose())).then(() =>
        Promise.all([
          verifier.close(),
          fleet.close(),
          updates.close(),
          beacon.close(),
          lab.ok && lab.value[Symbol.asyncDispose](),
        ]).then(() => undefined),
      );
      return closing;
    },
  };
};

/** Long enough to be seen, short enough for a day. */
const soakMs = 1_000;

const factoryOf = ({ factory, hardware, policyOf }: Releases): Factory => ({
  release: factory,
  trust: { hardware, quorums: [policyOf('os'), policyOf('repair')], soakMs },
});

/** Where the first device of a directory was last seen, for `enigmctl` and `enigm-sim status`. */
export const writeCurrent = (directory: string, runDirectory: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, 'current-run'), runDirectory);
};
