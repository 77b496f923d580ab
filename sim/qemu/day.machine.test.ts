/** The day of a device that is a whole machine: the scenarios of `make run`, one after the other, on an emulated computer. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf } from '#hal/core/result';
import { day } from '#sim/scenarios/day';
import { clock } from './machine.fixture.ts';
import { type TestMachineWorld, testMachineWorld } from './machine-world.fixture.ts';

describe('a day of a machine', () => {
  let made: TestMachineWorld;
  beforeAll(async () => {
    made = await testMachineWorld();
  });
  afterAll(() => made?.[Symbol.asyncDispose]());

  for (const scenario of day)
    test(scenario.step, async () => {
      const beganMs = clock.bootMs();
      const { evidence, fault } = await scenario.run(made.world);
      console.log(`${scenario.step} ${Math.round((clock.bootMs() - beganMs) / 1000)} s ${JSON.stringify(evidence)}`);
      expect(fault === undefined ? '' : `${codeOf(fault)} ${fault.detail ?? ''}`).toBe('');
      expect(evidence).not.toHaveProperty('skipped');
      expect(evidence).toMatchObject(asOfAMachine[scenario.step] ?? {});
    });
});

/** What no device of real processes shows in this way. */
const asOfAMachine: Readonly<Record<string, object>> = {
  enrol: { isNew: true, tpmClass: 'software' },
  boot: { isNewBoot: true, oracle: 'tpm2_eventlog agrees' },
  attest: { status: 'affirming' },
  posture: { decision: 'allowed', withOneProgramStopped: 'posture/programs-unhealthy', reboot: 'by permit' },
  policy: { connectionKey: 'in-tpm, p256' },
  network: { open: 'a packet arrives', killSwitch: 'no packet arrives', carriedPolicy: 'a packet arrives' },
  update: { slots: 'a → b', trial: 'committed', attestation: 'affirming' },
  rollout: { failing: 'fell back by itself', rollout: 'halted', stillRuns: 'committed' },
  emergency: { laterPlaceKey: 'opens nothing', laterPlaceHost: 'opens nothing' },
};
