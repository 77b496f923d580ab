import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemRandom } from '#hal/linux/random';
import { memoryLog } from '#hal/memory/log';
import { copyBuild } from '#sim/levels/device.fixture';
import type { Level } from '#sim/levels/level';
import type { MachineBody } from '#sim/levels/machine-body';
import { openMachineWorld } from '#sim/levels/machines';
import { enrol } from '#sim/scenarios/enrol';
import { faultVerbs, seenStates } from '#sim/scenarios/fault-verbs';
import { provision } from '#sim/scenarios/provision';
import { buildTestImage, clock } from './machine.fixture.ts';

describe('what happens to a device that is a machine (the same table as sim/levels/fault-verbs.day.test.ts)', () => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-verbs-'));
  let world: Level<MachineBody>;
  beforeAll(async () => {
    world = await openMachineWorld({
      ...{ directory, paths: copyBuild(directory), clock, random: systemRandom, log: memoryLog() },
      buildImage: (folder, more) => buildTestImage(folder, [], more),
    });
    await world.start();
    for (const { run } of [provision, enrol]) expect(await run(world)).not.toHaveProperty('fault');
  });
  afterAll(async () => {
    await world?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test.each(Object.entries(faultVerbs))('%s', async (_, verb) => {
    expect(await seenStates(world, verb)).toEqual(verb.states);
  });
});
