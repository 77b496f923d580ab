/** The level at which the device of the day is a machine in an emulator (`sim/qemu/day.machine.test.ts`). */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deny, unwrap } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import type { BuildPaths } from '#sim/machine/launch';
import { openPeerSecrets } from '#sim/peers/secrets';
import { type Body, type Level, openLevel } from './level.ts';
import { machineBody } from './machine-body.ts';
import { type BuildMachineImage, machineFactory } from './machine-factory.ts';
import { processBodies } from './processes.ts';

export interface MachineWorldOptions {
  /** Everything that is kept: devices, peers. */
  readonly directory: string;
  readonly buildImage: BuildMachineImage;
  readonly paths: BuildPaths;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Packets of a machine go through its own kernel, and nobody stands beside it there to send one. */
const noLab = deny('unavailable', 'not-supported', 'the network inside a machine');

/** Every instruction of the machine is emulated. */
const patience = 10;

/** The second device is one of real processes: one machine is enough to see what a machine does. */
export const openMachineWorld = async ({ buildImage, log, ...options }: MachineWorldOptions): Promise<Level<Body>> => {
  const { directory, paths, clock, random } = options;
  const [peers, image] = [join(directory, 'peers'), join(directory, 'image')];
  for (const folder of [peers, image]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const secrets = await openPeerSecrets(peers, clock, random);
  const factory = unwrap(await machineFactory(image, secrets, buildImage));
  return openLevel({
    ...{ ...options, patience, references: factory.references, lab: noLab },
    first: (wanted) => machineBody({ factory, paths, clock, log }, wanted),
    second: processBodies({ tpm: 'embedded', paths, clock, log }).second,
  });
};
