/** The beacon relay on a device of real processes (SR-11): nobody provisioned it, its mind is dead, the relay is killed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deviceLayout } from '#agents/programs/layout';
import { unwrap } from '#hal/core/result';
import { emergency } from '#sim/scenarios/emergency';
import { openTestWorld, type TestWorld } from './device.fixture.ts';

describe('the beacon relay', () => {
  let opened: TestWorld;
  beforeAll(async () => {
    opened = await openTestWorld('embedded');
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  test('carries an emergency on a device that nobody provisioned, mind dead or alive', async () => {
    const { fault, evidence } = await emergency.run(opened.world);
    expect(fault).toBeUndefined();
    expect(evidence).toMatchObject({
      asleep: 'a day of the Key: 0 bytes on the line, 0 positions',
      told: 'opened position ended opened position ended | opened position ended opened position ended',
      felt: 'press, countdown, alert, ack ×4, cancel, press, countdown, alert, ack ×2, cancel',
      laterPlaceKey: 'opens nothing',
      laterPlaceHost: 'opens nothing',
      laterPlaceContacts: 'integrity/decryption-failed integrity/decryption-failed',
      mindMeanwhile: expect.stringMatching(/^unavailable\//),
    });
  });

  test('killed in the middle of an alert, with the mind dead and the power of the Key cut, it loses none', async () => {
    const { beacon, machine, until } = opened.world;
    const key = unwrap(beacon.key);
    const before = beacon.contacts.map(({ news }) => news.length);
    const toldSince = () => beacon.contacts.map(({ news }, index) => news.slice(before[index]).map(({ is }) => is));
    machine.signal('agentd', 'SIGKILL');
    machine.signal('beacond', 'SIGKILL');
    key.press(6_000);
    key.pass(12_000);
    key.powerCut();
    await key.powerOn();
    // What nobody acknowledged is sent again, with growing pauses, whoever was there to hear it.
    await until(
      'both contacts know where',
      () => {
        machine.signal('agentd', 'SIGKILL');
        key.pass(5_000);
        return toldSince().every((told) => told.includes('opened') && told.includes('position'));
      },
      30_000,
    );
    key.cancelPin();
    await until('both contacts know that it is over', () => {
      key.pass(5_000);
      return toldSince().every((told) => told.includes('ended')) && key.powered().length === 0;
    });
    for (const told of toldSince()) expect(told.filter((is) => is === 'opened')).toEqual(['opened']);
    expect(beacon.contacts.flatMap(({ refusals }) => refusals)).toEqual([]);
  });

  test('is not there on a device without a Key', async () => {
    const second = await opened.world.secondDevice();
    const asked = await second.relay.call('beacon.status', { asksKey: false });
    expect(asked).toMatchObject({ ok: false, fault: { category: 'unavailable' } });
    expect(existsSync(join(deviceLayout(second.directory).beacon, 'beacon.db'))).toBe(false);
  });
});
