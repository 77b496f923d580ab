/** A world whose device is a machine, in a directory that goes away with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '#hal/linux/random';
import { memoryLog } from '#hal/memory/log';
import { copyBuild } from '#sim/levels/device.fixture';
import type { Level } from '#sim/levels/level';
import type { MachineBody } from '#sim/levels/machine-body';
import { openMachineWorld } from '#sim/levels/machines';
import { buildTestImage, clock } from './machine.fixture.ts';

export interface TestMachineWorld extends AsyncDisposable {
  readonly world: Level<MachineBody>;
}

/** Powered on, not provisioned. */
export const testMachineWorld = async (): Promise<TestMachineWorld> => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-mworld-'));
  const world = await openMachineWorld({
    ...{ directory, paths: copyBuild(directory), clock, random: systemRandom, log: memoryLog() },
    buildImage: (folder, more, epoch) => buildTestImage(folder, [], more, epoch),
  });
  await world.start();
  return {
    world,
    async [Symbol.asyncDispose]() {
      await world.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
