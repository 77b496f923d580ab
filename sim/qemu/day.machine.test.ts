/** The day of a device that is a whole machine: the scenarios of `make run`, one after the other, on an emulated computer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { memoryLog } from '#hal/memory/log';
import { imageReferences } from '#sim/image/references';
import { copyBuild } from '#sim/levels/device.fixture';
import type { Level } from '#sim/levels/level';
import type { MachineBody } from '#sim/levels/machine-body';
import { openMachineWorld } from '#sim/levels/machines';
import { day } from '#sim/scenarios/day';
import { buildTestImage, clock, imageFolder } from './machine.fixture.ts';

describe('a day of a machine', () => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-mday-'));
  let world: Level<MachineBody>;
  beforeAll(async () => {
    const image = await buildTestImage();
    world = await openMachineWorld({
      ...{ directory, image: imageFolder, references: [imageReferences('this-build', image.uki, image.keys)] },
      ...{ paths: copyBuild(directory), clock, random: systemRandom, log: memoryLog() },
    });
    await world.start();
  });
  afterAll(async () => {
    await world.close();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const scenario of day)
    test(scenario.step, async () => {
      const beganMs = clock.bootMs();
      const { evidence, fault } = await scenario.run(world);
      console.log(`${scenario.step} ${Math.round((clock.bootMs() - beganMs) / 1000)} s ${JSON.stringify(evidence)}`);
      expect(fault === undefined ? '' : `${codeOf(fault)} ${fault.detail ?? ''}`).toBe('');
    });
});
