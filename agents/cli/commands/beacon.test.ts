import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type BeaconMethods, beaconMethods } from '#agents/beacon/methods';
import { socketPath } from '#agents/programs/layout';
import { toHex } from '#hal/core/bytes';
import { deny, ok, unwrap } from '#hal/core/result';
import { memoryLog } from '#hal/memory/log';
import { dispatcher } from '#hal/remote/dispatcher';
import { lateDoor } from '#hal/remote/late-door';
import type { Handlers } from '#hal/remote/methods';
import { serveSocket } from '#hal/remote/socket-server';
import { ask, askJson, noDevice, type TestDevice } from '../enigmctl.fixture.ts';

/** A relay alone: no mind, no hands (SR-11). */
const serveRelay = async (handlers: Partial<Handlers<BeaconMethods>>): Promise<TestDevice> => {
  const device = noDevice();
  const nothing = lateDoor(beaconMethods, () => deny('unavailable', 'not-supported'));
  const door = dispatcher(beaconMethods, { ...nothing, ...handlers });
  const server = unwrap(await serveSocket(door, { path: socketPath(device.directory, 'beacon'), log: memoryLog() }));
  return {
    directory: device.directory,
    async [Symbol.asyncDispose]() {
      await server.close();
      await device[Symbol.asyncDispose]();
    },
  };
};

const id = new Uint8Array(16).fill(0xab);
const contact = { contact: id, tier: 2, isNamed: false };
const card = { contact: toHex(id), tier: 2, isNamed: false, psk: '01'.repeat(32), publicKey: '02'.repeat(1216) };

describe('enigmctl beacon', () => {
  test('says what is there, and what is not', async () => {
    await using relay = await serveRelay({
      'beacon.status': async ({ asksKey }) =>
        ok({
          ...{ isLineUp: true, isPaired: false, protection: 'clear', courier: 'unavailable/peer-unreachable' },
          ...(asksKey && {
            key: { state: 'bound', batteryPercent: 80, contacts: 2, hasPins: true, allowsRemoteArm: false, usedMicroampHours: 5 },
          }),
        }),
    });
    const { code, out } = await ask('--run', relay.directory, 'beacon');
    expect([code, out]).toEqual([
      0,
      'line up; not paired, kept in clear until the device is provisioned; courier NOT reached (unavailable/peer-unreachable)\n',
    ]);
    expect(await askJson('--run', relay.directory, 'beacon', 'status', '--key')).toMatchObject({
      code: 0,
      json: { isLineUp: true, key: { state: 'bound', contacts: 2 } },
    });
  });

  test('pairs by the secret of a card, which is in a file and in no command line', async () => {
    const given: string[] = [];
    await using relay = await serveRelay({
      'beacon.pair': async ({ secret }) => {
        given.push(toHex(secret));
        return ok({});
      },
    });
    const file = join(relay.directory, 'card');
    writeFileSync(file, `${'5a'.repeat(16)}\n`);
    expect(await askJson('--run', relay.directory, 'beacon', 'pair', '--card', file)).toEqual({
      code: 0,
      json: { isPaired: true },
    });
    expect(given).toEqual(['5a'.repeat(16)]);
    writeFileSync(file, 'no card');
    expect(await askJson('--run', relay.directory, 'beacon', 'pair', '--card', file)).toMatchObject({
      code: 4,
      json: { fault: { category: 'protocol', reason: 'malformed' } },
    });
  });

  test('adds, lists and removes contacts by their cards', async () => {
    const changes: string[] = [];
    await using relay = await serveRelay({
      'beacon.contacts': async ({ put, remove }) => {
        if (put !== undefined) changes.push(`put ${toHex(put.contact.contact)} ${toHex(put.psk)} ${put.publicKey.length}`);
        if (remove !== undefined) changes.push(`remove ${toHex(remove)}`);
        return ok({ contacts: [contact] });
      },
    });
    const file = join(relay.directory, 'card.json');
    writeFileSync(file, JSON.stringify(card));
    const there = ['--run', relay.directory, 'beacon', 'contacts'];
    expect(await askJson(...there, '--add', file)).toEqual({
      code: 0,
      json: { contacts: [{ contact: toHex(id), tier: 2, isNamed: false }] },
    });
    expect((await ask(...there, '--remove', toHex(id))).out).toBe(`${toHex(id)} tier 2\n`);
    expect(changes).toEqual([`put ${toHex(id)} ${card.psk} 1216`, `remove ${toHex(id)}`]);
    writeFileSync(file, JSON.stringify({ ...card, tier: 4 }));
    expect(await askJson(...there, '--add', file)).toMatchObject({ json: { fault: { reason: 'config-invalid' } } });
    expect(await askJson(...there, '--remove', 'alice')).toMatchObject({ json: { fault: { reason: 'config-invalid' } } });
    expect(changes).toHaveLength(2);
  });

  test('tells the wearer what to press for a rehearsal', async () => {
    await using relay = await serveRelay({ 'beacon.test': async () => ok({ needsChord: true }) });
    expect((await ask('--run', relay.directory, 'beacon', 'test')).out).toContain('press both buttons');
  });

  test('says that nobody is there where no Key belongs to the device', async () => {
    await using device = noDevice();
    expect((await ask('--run', device.directory, 'beacon', 'status')).code).toBe(5);
  });
});
