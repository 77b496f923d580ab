/** A world of real processes in a directory that goes away with it, for tests that need more than the day. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linuxClock } from '#hal/linux/clock';
import { systemRandom } from '#hal/linux/random';
import { memoryLog } from '#hal/memory/log';
import type { BuildPaths } from '#sim/machine/launch';
import type { TpmKind } from '#sim/machine/machine';
import { enrol } from '#sim/scenarios/enrol';
import { provision } from '#sim/scenarios/provision';
import { openProcessWorld, type ProcessWorld } from './processes.ts';

/** A copy of what was built: a build that runs meanwhile changes neither programs nor reference values here. */
export const copyBuild = (directory: string): BuildPaths => {
  const programs = join(directory, 'dist/device');
  if (!existsSync(join(built, 'device')) || !existsSync(addon)) throw new Error('the device is not built: run make setup');
  cpSync(built, join(directory, 'dist'), { recursive: true });
  return { programs, simPrograms: join(directory, 'dist/sim'), key: join(directory, 'dist/key'), addon, node: process.execPath };
};

const root = join(import.meta.dirname, '../..');
const built = join(root, 'dist');
const addon = join(root, 'build/native/tpm-sim.node');

export interface TestWorld extends AsyncDisposable {
  readonly world: ProcessWorld;
  readonly paths: BuildPaths;
  /** Of the world: devices and peers. */
  readonly directory: string;
}

/**
 * Powered on, not provisioned.
 * @param changed other parts than those that were built
 */
export const openTestWorld = async (tpm: TpmKind, changed: Partial<BuildPaths> = {}): Promise<TestWorld> => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-world-'));
  const paths = { ...copyBuild(directory), ...changed };
  const clock = linuxClock();
  const world = await openProcessWorld({ directory, tpm, paths, clock, random: systemRandom, log: memoryLog() });
  await world.start();
  await world.device.answers();
  return {
    world,
    paths,
    directory,
    async [Symbol.asyncDispose]() {
      await world.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

/** Provisioned, enrolled and attested. */
export const makeReady = async (world: ProcessWorld): Promise<void> => {
  for (const { step, run } of [provision, enrol]) {
    const { fault } = await run(world);
    if (fault !== undefined) throw new Error(`${step}: ${fault.category}/${fault.reason} ${fault.detail ?? ''}`);
  }
};
