/**
 * How each program of a device is started: Node's flags, the bundle, its words.
 *
 * The flags are a seat belt: what a program may read, write and load. Boundaries proper are user ids,
 * seccomp, Landlock and namespaces (SR-31), which the real machine has.
 */
import { join } from 'node:path';
import { deviceLayout } from '#agents/programs/layout';
import { simulatedLayout, slotFiles } from './layout.ts';

/** The beacon relay first: it needs nobody else, and ends after all others (SR-11). */
export const programNames = ['beacond', 'hald', 'linkd', 'inferd', 'agentd', 'paged'] as const;
export type ProgramName = (typeof programNames)[number];

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

export interface Launch {
  /** For Node itself. */
  readonly flags: readonly string[];
  readonly script: string;
  readonly words: readonly string[];
}

/** @param tpm `embedded`, or the command socket of a swtpm */
export const launchOf = (
  name: ProgramName,
  { directory, runDirectory, paths, network, keyLink }: LaunchParts,
  tpm: string,
): Launch => {
  const device = deviceLayout(directory);
  const simulated = simulatedLayout(directory);
  const reads = (...files: readonly string[]) => files.map((file) => `--allow-fs-read=${file}`);
  const writes = (...files: readonly string[]) =>
    files.flatMap((file) => [`--allow-fs-read=${file}`, `--allow-fs-write=${file}`]);
  const common = ['--no-warnings', '--permission', ...writes(runDirectory), ...reads(paths.programs)];
  const places = ['--directory', directory, '--run', runDirectory];
  const bundle = join(paths.programs, `${name}.cjs`);
  switch (name) {
    case 'beacond':
      return {
        flags: [
          ...common,
          ...['--jitless', '--allow-addons'],
          ...writes(device.beacon),
          ...reads(device.site, '/proc/uptime', ...(keyLink === undefined ? [] : [keyLink])),
        ],
        script: bundle,
        words: places,
      };
    case 'hald':
      return {
        flags: [
          ...common,
          ...['--jitless', '--allow-addons'],
          ...writes(device.hands, simulated.firmware, simulated.slots, simulated.tpm),
          ...reads(slotFiles(directory).trust, paths.simPrograms, paths.addon, '/proc', '/sys'),
        ],
        script: join(paths.simPrograms, 'hald.cjs'),
        words: [
          ...[...places, '--addon', paths.addon, '--tpm', tpm, '--programs', paths.programs],
          ...['--network', network?.join(' ') ?? 'none'],
        ],
      };
    case 'agentd':
      return { flags: [...common, ...writes(device.mind), ...reads(device.site, '/proc/uptime')], script: bundle, words: places };
    case 'linkd':
      return { flags: [...common, '--jitless', ...reads(device.site)], script: bundle, words: places };
    case 'inferd':
      return { flags: common, script: bundle, words: ['--resources', paths.programs, '--run', runDirectory] };
    case 'paged':
      return { flags: [...common, ...reads(device.site, '/proc/uptime')], script: bundle, words: places };
  }
};
