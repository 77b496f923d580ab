/** The level at which the device of the day is a machine in an emulator. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { installed } from '#agents/package/places';
import { ok } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import type { BuildPaths } from '#sim/machine/launch';
import { openPeerSecrets } from '#sim/peers/secrets';
import { keyLine } from '#sim/qemu/key-line';
import { type Level, openLevel } from './level.ts';
import { type MachineBody, machineBody } from './machine-body.ts';
import { type BuildMachineImage, machineImages } from './machine-images.ts';
import { machineWitness } from './machine-witness.ts';
import { processBodies, processImages } from './processes.ts';

export interface MachineWorldOptions {
  /** Everything that is kept: devices, peers. */
  readonly directory: string;
  readonly buildImage: BuildMachineImage;
  readonly paths: BuildPaths;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Where a person keeps snapshots of the machine. @param directory of the world */
export const snapshotsIn = (directory: string): string => join(directory, 'snapshots');

/** Every instruction of the machine is emulated. */
const patience = 10;

/** The second device is one of real processes: one machine is enough to see what a machine does. */
export const openMachineWorld = async ({ buildImage, log, ...options }: MachineWorldOptions): Promise<Level<MachineBody>> => {
  const { directory, paths, clock, random } = options;
  const peers = join(directory, 'peers');
  mkdirSync(peers, { recursive: true, mode: 0o700 });
  const secrets = await openPeerSecrets(peers, clock, random);
  const images = machineImages(join(directory, 'images'), secrets, buildImage, processImages(paths).referencesOf);
  const key = keyLine(installed.keyLink);
  let body: MachineBody | undefined;
  return openLevel({
    ...{ ...options, patience, images },
    openKeyLine: async () => ok(key),
    network: ok(machineWitness(clock, (line) => body?.shell(line))),
    first(wanted) {
      body = machineBody({ image: images.factory, snapshots: snapshotsIn(directory), key, paths, clock, random, log }, wanted);
      return body;
    },
    second: processBodies({ tpm: 'embedded', paths, clock, log }).second,
  });
};
