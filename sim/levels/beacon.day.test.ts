/** The beacon relay on a device of real processes: an emergency with a dead mind, and with the relay killed in its middle. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emergency } from '#sim/scenarios/emergency';
import { openTestWorld, type TestWorld } from './device.fixture.ts';

describe('the beacon relay (SR-11)', () => {
  let opened: TestWorld;
  beforeAll(async () => {
    opened = await openTestWorld('embedded');
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  test('carries an emergency on a device that nobody provisioned', async () => {
    const { fault, evidence } = await emergency.run(opened.world);
    expect(fault).toBeUndefined();
    console.info(evidence);
  });
});
