/**
 * The beacon relay on a device of real processes (SR-11): nobody provisioned it, its mind is dead, the relay is killed,
 * the device is suspended.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deviceLayout } from '#agents/programs/layout';
import { unwrap } from '#hal/core/result';
import { emergency } from '#sim/scenarios/emergency';
import { textOf } from '#sim/scenarios/outcome';
import { messaging, signIn } from '#sim/scenarios/person';
import { makeReady, openTestWorld, type TestWorld } from './device.fixture.ts';

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

describe('a device that its administration suspended', () => {
  let opened: TestWorld;
  let handle: string;
  beforeAll(async () => {
    opened = await openTestWorld('embedded');
    const { world } = opened;
    await makeReady(world);
    await signIn(world, world.device);
    handle = textOf((await world.device.enigmctl('attest', 'now', '--relying-party', 'command')).json, 'handle');
    await world.until('it joined its fleet', () => world.fleet.command.report(handle) !== undefined, 20_000);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const lifecycle = async () => {
    const status = await opened.world.device.app.call('device.status', {});
    return status.ok ? status.value.lifecycle : undefined;
  };
  const decided = async () => textOf((await opened.world.device.enigmctl('decide', messaging.action)).json, 'code');
  const is = (wanted: string) => opened.world.until(`it is ${wanted}`, async () => (await lifecycle()) === wanted, 20_000);
  const reports = (wanted: string) =>
    opened.world.until(
      `it reports that it is ${wanted}`,
      () => opened.world.fleet.command.report(handle)?.lifecycle === wanted,
      20_000,
    );

  test('obeys no order of one person, and one of two: then nothing that is protected is allowed (SR-19)', async () => {
    const { world } = opened;
    await world.until('it allows', async () => (await decided()) === '', 20_000);
    await world.fleet.command.order(handle, 'suspended', 1);
    const recorded = async () => JSON.stringify((await world.device.enigmctl('audit', 'list')).json);
    await world.until('the order of one is refused', async () => (await recorded()).includes('verify.order'));
    expect([await lifecycle(), await decided()]).toEqual(['active', '']);
    await world.fleet.command.order(handle, 'suspended');
    await is('suspended');
    expect(await decided()).toBe('posture/lifecycle-state');
    await reports('suspended');
  });

  test('still calls for help: the whole emergency, mind dead or alive (SR-11)', async () => {
    const { fault, evidence } = await emergency.run(opened.world);
    expect(fault).toBeUndefined();
    expect(evidence).toMatchObject({
      told: 'opened position ended opened position ended | opened position ended opened position ended',
      laterPlaceKey: 'opens nothing',
      laterPlaceHost: 'opens nothing',
      mindMeanwhile: expect.stringMatching(/^unavailable\//),
    });
    await is('suspended');
  });

  test('hears over its fleet that it may go on, also after its mind was killed and after a restart (SR-17)', async () => {
    const { world } = opened;
    world.device.kill('agentd');
    await is('suspended');
    await world.device.powerOff();
    await world.device.powerOn();
    await is('suspended');
    await signIn(world, world.device);
    expect(await decided()).toBe('posture/lifecycle-state');
    await world.fleet.command.order(handle, 'active');
    await is('active');
    await reports('active');
    await world.until('it allows again', async () => (await decided()) === '', 30_000);
  });

  test('goes on by an order in a file when neither broker nor Command can be reached (SR-17)', async () => {
    const { world } = opened;
    const suspending = await world.fleet.command.order(handle, 'suspended');
    await is('suspended');
    await world.fleet.broker.kill();
    const file = join(world.device.directory, 'order');
    writeFileSync(file, await world.fleet.command.order(handle, 'active'));
    expect(await world.device.enigmctl('order', file)).toMatchObject({ code: 0, json: { lifecycle: 'active' } });
    await world.until('it allows again', async () => (await decided()) === '', 30_000);
    writeFileSync(file, suspending);
    expect(await world.device.enigmctl('order', file)).toMatchObject({
      code: 3,
      json: { fault: { category: 'authorization', reason: 'order-replayed' } },
    });
    expect(await lifecycle()).toBe('active');
  });
});
