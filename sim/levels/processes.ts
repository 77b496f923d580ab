/**
 * The level at which a device is real processes on this machine: the world of `make run`. Every socket is under one short
 * run directory.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import type { BuildPaths } from '#sim/machine/launch';
import { type Machine, type MachineOptions, simulatedMachine, type TpmKind } from '#sim/machine/machine';
import { certifyEndorsement } from '#sim/peers/authority';
import { factoryTrust } from '#sim/peers/release-plans';
import type { World } from '#sim/world/world';
import { type Body, type BodyOptions, type FirstBodyOptions, openLevel } from './level.ts';
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

export interface ProcessWorld extends World {
  readonly machine: Machine;
  /** Powers the first device on, as it was left. */
  start(): Promise<void>;
  /** Ends every process and removes every socket; safe at any time and more than once. */
  close(): Promise<void>;
}

interface ProcessBody extends Body {
  readonly machine: Machine;
}

export const openProcessWorld = async ({ tpm, log, ...options }: ProcessWorldOptions): Promise<ProcessWorld> => {
  const { paths, clock } = options;
  const bodies = processBodies({ tpm, paths, clock, log });
  const level = await openLevel<ProcessBody>({ ...options, ...bodies });
  return { ...level, machine: level.first.machine };
};

/** Devices of real processes, as bodies of a level. */
export const processBodies = (kind: Pick<MachineOptions, 'tpm' | 'paths' | 'clock' | 'log'>) => {
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
      factory: { release: releases.factory, trust: factoryTrust(releases.policyOf) },
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
        ...(options.lab.ok ? { network: options.lab.value.device.before } : {}),
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
