import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultVerbs, seenStates } from '#sim/scenarios/fault-verbs';
import { signIn } from '#sim/scenarios/person';
import { makeReady, openTestWorld, type TestWorld } from './device.fixture.ts';

describe('what happens to a device of real processes (the same table as sim/qemu/fault-verbs.machine.test.ts)', () => {
  let made: TestWorld;
  beforeAll(async () => {
    made = await openTestWorld('embedded');
    await makeReady(made.world);
    await signIn(made.world, made.world.device);
  });
  afterAll(() => made?.[Symbol.asyncDispose]());

  test.each(Object.entries(faultVerbs))('%s', async (_, verb) => {
    expect(await seenStates(made.world, verb)).toEqual(verb.states);
  });
});
