/**
 * One update through the three programs of a device: mouth, mind and hands with the flags of the real ones, a static HTTPS
 * server as the far end. The parts are those of the programs; what they have beside updates is left out.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { engineFlags, programEnvironment } from '#agents/supervisor/launch';
import { bootRecordStore } from '#hal/core/boot-record';
import { toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { linuxBlockDevice } from '#hal/linux/block-device';
import { linuxClock } from '#hal/linux/clock';
import { hashAreaBytes } from '#ota-client/payload/verity';
import { provisionSlots } from '#ota-client/slots/factory';
import { ledgerStore } from '#ota-client/slots/ledger';
import { newAuthority } from '#sim/peers/authority';
import { startFiles } from '#sim/peers/files';
import { hardware, type ImageFacts, indexDigest, type Published } from '../release.ts';
import type { DeviceConfiguration, Usage } from './program.ts';

const programs = ['hands', 'mouth', 'mind'] as const;
export type Program = (typeof programs)[number];
const root = join(import.meta.dirname, '../../..');
const bundles = join(root, 'build/bench/device');
const addon = join(root, 'build/native/tpm.node');

export interface Installation {
  readonly outcome: string;
  readonly fetchedBytes: number;
  /** Segments by the way they were made. */
  readonly made: Readonly<Record<string, number>>;
  /** Of all three together, without their starts: until the last segment was handed over, and until it was proved. */
  readonly writeCpuMs: number;
  readonly totalCpuMs: number;
  readonly peakBytes: Readonly<Record<Program, number>>;
}

export const bundlePrograms = async (): Promise<void> => {
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(programs.map((name) => [name, join(import.meta.dirname, `${name}.ts`)])),
    outdir: bundles,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    target: 'node24',
    logLevel: 'warning',
  });
};

export interface Device {
  /** For media and sockets; its path must be short. */
  readonly folder: string;
  /** In slot a. */
  readonly image: string;
  readonly running: ImageFacts;
  readonly target: ImageFacts;
  readonly published: Published;
}

export const installOnce = async ({ folder, image, running, target, published }: Device): Promise<Installation> => {
  mkdirSync(folder, { recursive: true });
  const media = { a: image, ...(await blankMedia(folder, running, target)) };
  const clock = linuxClock();
  const tlsAuthority = await newAuthority('bench TLS', 'ed25519', clock);
  const files = await startFiles({ directory: published.repository, clock, secrets: { tlsAuthority } });
  const configuration: DeviceConfiguration = {
    ...{ run: folder, media, hardware, manifest: published.manifest, custodians: published.custodians },
    addon,
    runningRoot: toHex(running.root),
    running: { index: indexDigest(running), imageBytes: running.imageBytes },
    repository: { url: files.url, authority: tlsAuthority.certificate },
  };
  const path = join(folder, 'device.json');
  writeFileSync(path, JSON.stringify(configuration));
  const children = new Map<Program, ChildProcess>();
  try {
    for (const name of programs)
      children.set(name, await started(name, path, [folder, image, published.manifest, published.custodians]));
    return await installedBy(children);
  } finally {
    for (const child of children.values()) child.disconnect();
    await files.close();
  }
};

/** What the device had before: slot a runs, slot b is empty. */
const blankMedia = async (folder: string, running: ImageFacts, target: ImageFacts) => {
  const sizes = { b: target.imageBytes + hashAreaBytes(target.imageBytes), journal: twinRecordBytes, boot: twinRecordBytes };
  const media = { b: join(folder, 'b'), journal: join(folder, 'journal'), boot: join(folder, 'boot') };
  for (const name of ['b', 'journal', 'boot'] as const) {
    writeFileSync(media[name], '');
    truncateSync(media[name], sizes[name]);
  }
  const [journal, boot] = [
    unwrap(await linuxBlockDevice(media.journal, 'write')),
    unwrap(await linuxBlockDevice(media.boot, 'write')),
  ];
  const release = {
    counter: 1,
    floorEpoch: 1,
    imageBytes: running.imageBytes,
    verityRoot: running.root,
    digest: new Uint8Array(32),
  };
  unwrap(await provisionSlots(bootRecordStore(boot), ledgerStore(journal), release));
  await journal.close();
  await boot.close();
  return media;
};

const flags: Readonly<Record<Program, readonly string[]>> = {
  hands: [...engineFlags.hald, '--allow-addons'],
  mouth: engineFlags.linkd,
  mind: engineFlags.agentd,
};

const started = async (name: Program, path: string, places: readonly string[]): Promise<ChildProcess> => {
  const reads = [bundles, addon, '/proc', '/sys', ...places].map((place) => `--allow-fs-read=${place}`);
  const child = fork(join(bundles, `${name}.mjs`), [path], {
    execArgv: ['--no-warnings', '--permission', ...flags[name], ...reads, `--allow-fs-write=${places[0]}`],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ...programEnvironment },
  });
  await answer(child, name);
  return child;
};

const answer = (child: ChildProcess, name: Program): Promise<unknown> =>
  new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the ${name} ended with ${code}`)));
  });

const installedBy = async (children: ReadonlyMap<Program, ChildProcess>): Promise<Installation> => {
  const usages = async (): Promise<Record<Program, Usage>> => {
    const entries = await Promise.all(
      [...children].map(async ([name, child]) => {
        const said = answer(child, name);
        child.send('usage');
        return [name, await said] as const;
      }),
    );
    return Object.fromEntries(entries) as Record<Program, Usage>;
  };
  const cpu = (usage: Record<Program, Usage>) => programs.reduce((total, name) => total + usage[name].cpuMs, 0);
  const mind = children.get('mind') as ChildProcess;
  const before = await usages();
  const written = answer(mind, 'mind');
  mind.send('install');
  const first = await written;
  // The mind waits for the hands now; what they did in these milliseconds of the read-back is counted with the writing.
  const isWritten = first === 'written';
  const ended = isWritten ? answer(mind, 'mind') : Promise.resolve(first);
  const [hands, mouth] = (await Promise.all(
    (['hands', 'mouth'] as const).map((name) => {
      const child = children.get(name) as ChildProcess;
      const said = answer(child, name);
      child.send('usage');
      return said;
    }),
  )) as [Usage, Usage];
  const { outcome, fetchedBytes, made } = (await ended) as Pick<Installation, 'outcome' | 'fetchedBytes' | 'made'>;
  const after = await usages();
  return {
    ...{ outcome, fetchedBytes, made },
    writeCpuMs: cpu({ hands, mouth, mind: after.mind }) - cpu(before),
    totalCpuMs: cpu(after) - cpu(before),
    peakBytes: { hands: after.hands.peakBytes, mouth: after.mouth.peakBytes, mind: after.mind.peakBytes },
  };
};
