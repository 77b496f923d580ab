/**
 * A machine to work at: started, provisioned and healthy once, kept as it stood then, and gone on from whenever it is
 * wanted. Its programs are those of the build that made it; who works at it swaps them.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';
import { imageOfBuild } from '#sim/image/image';
import type { QemuDevice } from './device.ts';
import type { RunningMachine } from './machine.ts';
import { provisionedSnapshot } from './provisioned.ts';
import { hasSnapshot, restoreSnapshot, snapshotKey } from './snapshot.ts';

export interface WorkbenchOptions {
  /** Folder of this build. */
  readonly project: string;
  /** Where image and snapshot are kept. */
  readonly folder: string;
  /** Where the machine is that is worked at; it goes away with it. */
  readonly copy: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly say: (line: string) => void;
}

export interface Workbench {
  readonly machine: RunningMachine;
  readonly device: QemuDevice;
  /** The programs that the machine was made with. */
  readonly programs: string;
}

/** Somebody works a day. */
const limitMs = 24 * 3_600_000;
const imageKeyFile = 'made-of';

/** @returns the machine, going on from its snapshot; made first where there is none of this emulator and this image */
export const openWorkbench = async (options: WorkbenchOptions): Promise<Result<Workbench>> => {
  const { project, folder, copy, clock, random, say } = options;
  const [image, snapshot] = [join(folder, 'image'), join(folder, 'snapshot')];
  await currentImage(project, image, say);
  const key = await snapshotKey(image, {});
  if (!key.ok) return key;
  if (!hasSnapshot(snapshot, key.value)) {
    say('a machine is started, provisioned and kept: once, some minutes …');
    const made = await provisionedSnapshot({ project, image, folder: join(folder, 'made'), clock }, snapshot, key.value);
    if (!made.ok) return made;
  }
  const restored = await restoreSnapshot(snapshot, copy, { clock, random, limitMs });
  return restored.ok ? ok({ ...restored.value, programs: join(image, 'root/usr/lib/enigm') }) : restored;
};

/** Another one where what it is made of, beside the programs, is another. */
const currentImage = async (project: string, image: string, say: (line: string) => void): Promise<void> => {
  const sources = join(project, 'sim/image');
  const digest = createHash('sha256')
    .update(readFileSync(join(project, 'build/native/tpm.node')))
    .update(process.version);
  const paths = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(?:ts|sh)$/.test(name));
  for (const path of paths.toSorted()) digest.update(path).update(readFileSync(join(sources, path)));
  const madeOf = digest.digest('hex');
  const record = join(image, imageKeyFile);
  if (existsSync(record) && readFileSync(record, 'utf8') === madeOf) return;
  rmSync(image, { recursive: true, force: true });
  mkdirSync(image, { recursive: true });
  await imageOfBuild(project, image, say);
  writeFileSync(record, madeOf);
};
