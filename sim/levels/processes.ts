/**
 * The level at which a device is real processes on this machine: the world of `make run`. Every socket is under one short
 * run directory.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { type NetworkLab, networkLab } from '#hal/linux/network-lab';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import { maxFloorEpoch } from '#hal/tpm/floor';
import { approveFloor } from '#sim/image/approval';
import { imageOf, referencesOf } from '#sim/machine/image';
import type { BuildPaths } from '#sim/machine/launch';
import { openLine } from '#sim/machine/line';
import { type Machine, type MachineOptions, simulatedMachine, type TpmKind } from '#sim/machine/machine';
import { policyKeyFrom } from '#sim/peers/approvers';
import { certifyEndorsement } from '#sim/peers/authority';
import { buildRootImage } from '#sim/peers/image-build';
import { logTrustFrom } from '#sim/peers/log-keys';
import { factoryTrust, treeImages } from '#sim/peers/release-plans';
import { labWitness } from './lab-witness.ts';
import { type Body, type BodyOptions, type FirstBodyOptions, type Images, type Level, openLevel } from './level.ts';
import { processDevice } from './process-device.ts';
import { runDirectoryOf } from './run-directory.ts';

export interface ProcessWorldOptions {
  /** Everything that is kept: devices, peers. */
  readonly directory: string;
  readonly tpm: TpmKind;
  readonly paths: BuildPaths;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface ProcessWorld extends Level<ProcessBody> {
  readonly machine: Machine;
}

interface ProcessBody extends Body {
  readonly machine: Machine;
}

export const openProcessWorld = async ({ tpm, log, ...options }: ProcessWorldOptions): Promise<ProcessWorld> => {
  const { paths, clock } = options;
  const lab = await networkLab();
  const bodies = processBodies({ tpm, paths, clock, log }, lab);
  const level = await openLevel<ProcessBody>({
    ...{ ...options, ...bodies, openKeyLine: openLine, images: processImages(paths) },
    network: lab.ok ? ok(labWitness(lab.value, clock)) : lab,
  });
  return {
    ...level,
    machine: level.first.machine,
    async close() {
      await level.close();
      if (lab.ok) await lab.value[Symbol.asyncDispose]();
    },
  };
};

/** Their firmware measures what the programs of the build are, whichever tree of them a slot holds. */
export const processImages = ({ programs }: Pick<BuildPaths, 'programs'>): Images => ({
  imageOf: treeImages(programs, buildRootImage),
  referencesOf: (name, verityRoot) => [referencesOf(name, imageOf(programs, verityRoot))],
});

/**
 * Devices of real processes, as bodies of a level.
 * @param lab the network of the first one, where this machine allows it
 */
export const processBodies = (
  kind: Pick<MachineOptions, 'tpm' | 'paths' | 'clock' | 'log'>,
  lab?: Result<Pick<NetworkLab, 'device'>>,
) => {
  const bodyOf = (
    { name, directory, site, releases, secrets, until, signal }: BodyOptions,
    more: Pick<MachineOptions, 'hasPage' | 'network' | 'keyLink'>,
  ): ProcessBody => {
    const machine = simulatedMachine({
      ...kind,
      ...more,
      directory,
      runDirectory: runDirectoryOf(directory),
      certifyEndorsement: (endorsementPublic) => certifyEndorsement(secrets.tpmMaker, endorsementPublic, kind.clock),
      factory: {
        release: releases.factory,
        trust: factoryTrust(releases.policyOf, logTrustFrom(nodeCrypto, secrets.custodians)),
        floor: approveFloor(policyKeyFrom(secrets.custodians), maxFloorEpoch),
      },
    });
    return {
      machine,
      device: processDevice(name, machine, kind.paths, site, until, signal),
      isOn: () => machine.isOn(),
      dispose: () => machine.dispose(),
    };
  };
  return {
    first: (options: FirstBodyOptions) =>
      bodyOf(options, {
        hasPage: true,
        ...(lab?.ok === true ? { network: lab.value.device.before } : {}),
        ...(options.beacon.key.ok ? { keyLink: options.beacon.key.value.linkPath } : {}),
      }),
    second: (options: BodyOptions) => bodyOf(options, { hasPage: false }),
  };
};

/** Where the first device of a directory was last seen, for `enigmctl` and `enigm-sim status`. */
export const writeCurrent = (directory: string, runDirectory: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, 'current-run'), runDirectory);
};
