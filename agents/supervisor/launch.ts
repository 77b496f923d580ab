/**
 * How each program of a device is started: Node's flags, the bundle, its words.
 *
 * The flags are a seat belt: what a program may read, write and load. Boundaries proper are user ids,
 * seccomp, Landlock and namespaces (SR-31).
 */
import { join } from 'node:path';
import { deviceLayout, socketPath } from '#agents/programs/layout';
import { tpmEnvironment, tpmProvider } from './tpm-provider.ts';

/** The beacon relay first: it needs nobody else, and ends after all others (SR-11). */
export const programNames = ['beacond', 'hald', 'linkd', 'inferd', 'agentd', 'paged'] as const;
export type ProgramName = (typeof programNames)[number];

export interface Places {
  /** What the device keeps. */
  readonly directory: string;
  /** Short: unix socket paths have at most 107 bytes. */
  readonly runDirectory: string;
  /** Where the bundles are, and what they read beside them. */
  readonly programs: string;
  /** The line of the Key that belongs to the device; without one there is no beacon relay. */
  readonly keyLink?: string;
}

export interface Launch {
  /** For Node itself. */
  readonly flags: readonly string[];
  /** Takes the path of the program, then its words (`agents/programs/start.ts`). */
  readonly script: string;
  readonly words: readonly string[];
  /** All of it: nothing of whoever starts it. */
  readonly environment: Readonly<Record<string, string>>;
  /** It is started once this is there, or after a while without. */
  readonly after?: string;
}

/**
 * For the C library of every program: one heap. It gives each thread one otherwise, and Node's threads then keep what the
 * others have freed: 6 MiB in a mind that decodes an update, for the same CPU.
 */
export const programEnvironment = { MALLOC_ARENA_MAX: '1' } as const;

/**
 * For those through which updates pass: room for new objects, in MiB. V8 lets it grow to 16, twice, while they decode: 12 MiB
 * more in a mind that takes a heavy month from any source, for a little more CPU.
 */
export const smallYoungSpace = '--max-semi-space-size=1';

/**
 * For V8, by bundle, under which its code is made too. `--jitless` makes no memory executable, ever: for whoever has devices
 * or the network, and needs no WebAssembly.
 */
export const engineFlags = {
  beacond: ['--jitless'],
  hald: ['--jitless', '--expose-gc', smallYoungSpace],
  linkd: ['--jitless', '--expose-gc', smallYoungSpace],
  inferd: [],
  agentd: [smallYoungSpace],
  paged: [],
  supervisord: [],
  unlock: ['--jitless'],
  enigmctl: [],
  doors: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** What each program is given beside the socket folder and the bundles. */
interface Needs {
  /** For Node, beside `--permission` and what is V8's. */
  readonly flags: readonly string[];
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly after?: string;
}

export const launchOf = (name: Exclude<ProgramName, 'hald'>, places: Places): Launch =>
  launched(name, places, join(places.programs, `${name}.cjs`), needsOf(name, places));

const needsOf = (name: Exclude<ProgramName, 'hald'>, { directory, runDirectory, programs, keyLink }: Places): Needs => {
  const { site, beacon, mind } = deviceLayout(directory);
  const kept = ['--directory', directory];
  const table: Readonly<Record<typeof name, Needs>> = {
    beacond: {
      flags: ['--allow-addons'],
      reads: [site, '/proc/uptime', ...(keyLink === undefined ? [] : [keyLink])],
      writes: [beacon],
      words: kept,
    },
    agentd: { flags: [], reads: [site, '/proc/uptime'], writes: [mind], words: kept },
    linkd: {
      flags: [`--openssl-config=${join(programs, tpmProvider.configName)}`],
      ...{ reads: [site, tpmProvider.module], writes: [], words: kept },
      // The provider connects to the TPM before anything of the program runs.
      ...{ environment: tpmEnvironment(runDirectory), after: socketPath(runDirectory, 'tpm') },
    },
    inferd: { flags: [], reads: [], writes: [], words: ['--resources', programs] },
    paged: { flags: [], reads: [site, '/proc/uptime'], writes: [], words: kept },
  };
  return table[name];
};

export interface HandsLaunch {
  readonly script: string;
  readonly addon: string;
  /** Beside the hands' own folder. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly words: readonly string[];
}

/** The hands differ between a machine and a simulator: other devices, another bundle (SR-04). */
export const launchHands = (places: Places, { script, addon, reads, writes, words }: HandsLaunch): Launch => {
  const { hands } = deviceLayout(places.directory);
  return launched('hald', places, script, {
    flags: ['--allow-addons'],
    reads: [addon, '/proc', '/sys', ...reads],
    writes: [hands, ...writes],
    words: ['--directory', places.directory, '--addon', addon, ...words],
  });
};

const launched = (
  name: ProgramName,
  { runDirectory, programs }: Places,
  program: string,
  { flags, reads, writes, words, environment, after }: Needs,
): Launch => ({
  flags: [
    ...['--no-warnings', '--permission', ...engineFlags[name], ...flags],
    ...[runDirectory, ...writes].flatMap((path) => [`--allow-fs-read=${path}`, `--allow-fs-write=${path}`]),
    ...[programs, ...reads].map((path) => `--allow-fs-read=${path}`),
  ],
  script: join(programs, 'start.cjs'),
  words: [program, ...words, '--run', runDirectory],
  environment: { ...programEnvironment, ...environment },
  ...(after === undefined ? {} : { after }),
});
