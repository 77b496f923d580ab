/** The level at which the device of the day is a machine in an emulator: the world of `make run SIM=qemu`. */
import type { ReferenceSet } from '#attestation/references';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import type { BuildPaths } from '#sim/machine/launch';
import { type Level, openLevel } from './level.ts';
import { type MachineBody, machineBody } from './machine-body.ts';
import { processBodies } from './processes.ts';

export interface MachineWorldOptions {
  /** Everything that is kept: devices, peers. */
  readonly directory: string;
  /** Folder of the built image. */
  readonly image: string;
  /** What machines of that image measure. */
  readonly references: readonly ReferenceSet[];
  readonly paths: BuildPaths;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Every instruction of the machine is emulated. */
const patience = 10;

/** The second device is one of real processes: one machine is enough to see what a machine does. */
export const openMachineWorld = ({ image, log, ...options }: MachineWorldOptions): Promise<Level<MachineBody>> => {
  const { paths, clock } = options;
  return openLevel({
    ...{ ...options, patience },
    first: (wanted) => machineBody({ image, paths, clock, log }, wanted),
    second: processBodies({ tpm: 'embedded', paths, clock, log }).second,
  });
};
