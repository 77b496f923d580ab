/** How the programs of a simulated device are started: as on any device, but for the hands, which have simulated devices. */
import { join } from 'node:path';
import { type Launch, launchHands, launchOf as launchOnDevice, type ProgramName } from '#agents/supervisor/launch';
import { simulatedLayout, slotFiles } from './layout.ts';

export interface BuildPaths {
  /** dist/device. */
  readonly programs: string;
  /** dist/sim. */
  readonly simPrograms: string;
  /** dist/key: the Key's script and the engine that runs it. */
  readonly key: string;
  /** build/native/tpm-sim.node. */
  readonly addon: string;
  /** The pinned Node.js. */
  readonly node: string;
}

export interface LaunchParts {
  readonly directory: string;
  /** Short: unix socket paths have at most 107 bytes. */
  readonly runDirectory: string;
  readonly paths: BuildPaths;
  /** What stands before a program so that it runs in the device's own network; none where this machine allows no such. */
  readonly network?: readonly string[];
  /** The line of the Key that belongs to the device; without one there is no beacon relay. */
  readonly keyLink?: string;
}

/** @param tpm `embedded`, or the command socket of a swtpm */
export const launchOf = (
  name: ProgramName,
  { directory, runDirectory, paths, network, keyLink }: LaunchParts,
  tpm: string,
): Launch => {
  const places = { directory, runDirectory, programs: paths.programs, ...(keyLink === undefined ? {} : { keyLink }) };
  if (name !== 'hald') return launchOnDevice(name, places);
  const simulated = simulatedLayout(directory);
  const files = slotFiles(directory);
  return launchHands(places, {
    script: join(paths.simPrograms, 'hald.cjs'),
    addon: paths.addon,
    reads: [files.trust, files.floor, files.statement, paths.simPrograms],
    writes: [simulated.firmware, simulated.slots, simulated.tpm],
    words: ['--tpm', tpm, '--programs', paths.programs, '--network', network?.join(' ') ?? 'none'],
  });
};
