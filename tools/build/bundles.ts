/** Which bundles there are, and how each is made. */
import { join } from 'node:path';
import type { BuildOptions } from 'esbuild';

export const root = join(import.meta.dirname, '../..');

/** By folder of dist and name: the source where each begins. */
export const bundles = {
  device: {
    hald: 'agents/programs/hald.ts',
    agentd: 'agents/programs/agentd.ts',
    linkd: 'agents/programs/linkd.ts',
    inferd: 'agents/programs/inferd.ts',
    paged: 'agents/programs/paged.ts',
    beacond: 'agents/programs/beacond.ts',
    supervisord: 'agents/programs/supervisord.ts',
    unlock: 'agents/programs/unlock.ts',
    enigmctl: 'agents/cli/main.ts',
    start: 'agents/programs/start.ts',
  },
  recovery: {
    recover: 'agents/programs/recover.ts',
  },
  machine: {
    doors: 'sim/programs/doors.ts',
    hald: 'sim/programs/machine-hald.ts',
  },
  sim: {
    hald: 'sim/programs/hald.ts',
    'enigm-sim': 'sim/cli/main.ts',
  },
  interoperability: {
    'tuf-client': 'ota-client/conformance.ts',
  },
} as const;

const standIn = (name: string) => join(root, 'tools/build', name);

/** In place of packages: a device starts, verifies and reads all that is in its programs, and none of this is used there. */
const replaced: Readonly<Record<string, string>> = {
  'node-gyp-build': standIn('serial-addon.cjs'),
  // Of pino, for logs that another thread writes; of mqtt, for browsers, proxies and WebSocket; of tfjs, for its downloads and threads.
  ...Object.fromEntries(
    ['thread-stream', 'worker_threads', 'worker-timers', 'socks', 'ws', 'node-fetch'].map((name) => [
      name,
      standIn('left-out.cjs'),
    ]),
  ),
  assert: standIn('assert.cjs'),
  // The same streams, for Nodes that are older.
  'readable-stream': 'node:stream',
};

/** @param entryPoints sources by name */
export const bundleOptions = (folder: string, entryPoints: Readonly<Record<string, string>>) =>
  ({
    absWorkingDir: root,
    entryPoints: { ...entryPoints },
    outdir: `dist/${folder}`,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifySyntax: true,
    // A device verifies, reads and parses what is there at each start.
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    external: ['@tensorflow/tfjs-node'],
    alias: { ...replaced },
    metafile: true,
  }) satisfies BuildOptions;
