/**
 * The day of a device that is a whole machine: the scenarios of `make run`, one after the other, on an emulated computer.
 * With a policy in force nothing more is heard of it, probably since its mouth runs as root there; what comes after needs
 * that. Updates come another way (update.machine.test.ts), and the Key has no line to it yet.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { memoryLog } from '#hal/memory/log';
import { copyBuild } from '#sim/levels/device.fixture';
import type { Level } from '#sim/levels/level';
import type { MachineBody } from '#sim/levels/machine-body';
import { openMachineWorld } from '#sim/levels/machines';
import { day } from '#sim/scenarios/day';
import { buildTestImage, clock } from './machine.fixture.ts';

describe('a day of a machine', () => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-mday-'));
  let world: Level<MachineBody>;
  beforeAll(async () => {
    world = await openMachineWorld({
      ...{ directory, paths: copyBuild(directory), clock, random: systemRandom, log: memoryLog() },
      buildImage: (folder, more) => buildTestImage(folder, [], more),
    });
    await world.start();
  });
  afterAll(async () => {
    await world?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const notThere = ['network'];
  for (const scenario of day.filter(({ step }) => !notThere.includes(step)))
    test(scenario.step, async () => {
      const beganMs = clock.bootMs();
      const { evidence, fault } = await scenario.run(world);
      console.log(`${scenario.step} ${Math.round((clock.bootMs() - beganMs) / 1000)} s ${JSON.stringify(evidence)}`);
      expect(fault === undefined ? '' : `${codeOf(fault)} ${fault.detail ?? ''}`).toBe('');
      expect(evidence).toMatchObject(asOfAMachine[scenario.step] ?? {});
    });
});

/** What no device of real processes shows in this way. */
const asOfAMachine: Readonly<Record<string, object>> = {
  enrol: { isNew: true, tpmClass: 'software' },
  boot: { isNewBoot: true, oracle: 'tpm2_eventlog agrees' },
  attest: { status: 'affirming' },
  posture: { decision: 'allowed', withOneProgramStopped: 'posture/programs-unhealthy', reboot: 'by permit' },
};
