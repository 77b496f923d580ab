import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrol } from '#sim/scenarios/enrol';
import { faultVerbs, seenStates } from '#sim/scenarios/fault-verbs';
import { provision } from '#sim/scenarios/provision';
import { type TestMachineWorld, testMachineWorld } from './machine-world.fixture.ts';

describe('what happens to a device that is a machine (the same table as sim/levels/fault-verbs.day.test.ts)', () => {
  let made: TestMachineWorld;
  beforeAll(async () => {
    made = await testMachineWorld();
    for (const { run } of [provision, enrol]) expect(await run(made.world)).not.toHaveProperty('fault');
  });
  afterAll(() => made?.[Symbol.asyncDispose]());

  test.each(Object.entries(faultVerbs))('%s', async (_, verb) => {
    expect(await seenStates(made.world, verb)).toEqual(verb.states);
  });
});
