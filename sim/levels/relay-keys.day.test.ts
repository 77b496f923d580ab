/**
 * What the relay shares with the Key, at rest: in clear on a device that nobody provisioned, sealed from then on, and
 * never in the way of an alert, whatever has become of it (SR-11).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deviceLayout } from '#agents/programs/layout';
import { pairingRecord } from '#firmware-key/host/host-side';
import { toHex } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { isSealedRecord } from '#hal/crypto/sealed-record';
import type { SimulatedKey } from '#sim/machine/key';
import { callOff, raiseAlarm, setUpKey } from '#sim/scenarios/emergency';
import { provision } from '#sim/scenarios/provision';
import { openTestWorld, type TestWorld } from './device.fixture.ts';
import { pairingSecrets, type Secrets, scanFiles } from './secrets.fixture.ts';

describe('what the relay shares with its Key', () => {
  let opened: TestWorld;
  let key: SimulatedKey;
  let inClear: Secrets;
  beforeAll(async () => {
    opened = await openTestWorld('embedded');
    key = unwrap(opened.world.beacon.key);
    unwrap(await setUpKey(opened.world, key));
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const folder = (): string => deviceLayout(opened.world.device.directory).beacon;
  const storePath = (): string => join(folder(), 'beacon.db');
  const record = (): Uint8Array => {
    const database = new DatabaseSync(storePath(), { readOnly: true });
    try {
      const row = database.prepare('SELECT value FROM entry WHERE key = ?').get(pairingRecord);
      return row?.['value'] as Uint8Array;
    } finally {
      database.close();
    }
  };
  const status = async () => unwrap(await opened.world.device.relay.call('beacon.status', { asksKey: false }));
  const isKept = (how: string) =>
    opened.world.until(
      `the pairing is ${how}`,
      async () => {
        const said = await opened.world.device.relay.call('beacon.status', { asksKey: false });
        return said.ok && said.value.isLineUp && said.value.protection === how;
      },
      90_000,
    );
  const code = (result: Result<unknown>) => (result.ok ? 'ok' : codeOf(result.fault));
  /** At home, where the Key is put into its dock and wakes; it does so once a minute at most. */
  const asksKey = async (): Promise<string> => {
    key.pass(60_000);
    key.dock();
    const asked = code(await opened.world.device.relay.call('beacon.status', { asksKey: true }));
    await opened.world.device.relay.call('beacon.release', {});
    key.undock();
    return asked;
  };
  const told = () => opened.world.beacon.contacts.map(({ news }) => news.map(({ is }) => is).join(' '));
  const refusals = () => opened.world.beacon.contacts.flatMap((contact) => contact.refusals);

  test('is in clear on a device without a secret, and the relay says so', async () => {
    expect(await status()).toMatchObject({ isPaired: true, protection: 'clear' });
    inClear = pairingSecrets(record());
    expect(inClear.size).toBeGreaterThanOrEqual(3);
    const { found } = scanFiles(inClear, opened.world.device.directory);
    for (const name of inClear.keys()) expect(found.filter((place) => place.startsWith(name)).length, name).toBeGreaterThan(0);
    expect(await asksKey()).toBe('ok');
  });

  test('is sealed once the device is provisioned; what was in clear is in no byte of any file, and the Key knows it still', async () => {
    const { device } = opened.world;
    expect((await provision.run(opened.world)).fault).toBeUndefined();
    await device.powerOff();
    await device.powerOn();
    await isKept('sealed');
    expect(isSealedRecord(record())).toBe(true);
    expect(scanFiles(inClear, device.directory).found).toEqual([]);
    expect(await asksKey()).toBe('ok');
    expect(scanFiles(inClear, device.directory).found).toEqual([]);
    expect(readdirSync(folder()).filter((name) => readFileSync(join(folder(), name)).includes('staticSecret'))).toEqual([]);
  });

  test('waits for hands that were stopped before the relay started; an alert does not (SR-11)', async () => {
    const { device, until } = opened.world;
    const before = told();
    device.pause('hald');
    opened.world.machine.signal('beacond', 'SIGKILL');
    await isKept('waiting');
    expect(await status()).toMatchObject({ isPaired: true });
    expect(await asksKey()).toBe('unavailable/pairing-locked');
    await raiseAlarm(opened.world, key);
    expect((await status()).protection).toBe('waiting');
    device.resume('hald');
    await isKept('sealed');
    await callOff(opened.world, key);
    const since = told().map((all, index) => all.slice(before[index]?.length ?? 0).trim());
    for (const one of since) expect(one).toMatch(/^opened position(?: position)* ended/);
    expect(refusals()).toEqual([]);
    await until('the Key answers', async () => (await asksKey()) === 'ok');
  });

  test('once opened needs no hands: killed again and again while an alert goes on, they change nothing (SR-11)', async () => {
    const { device } = opened.world;
    device.kill('hald');
    await raiseAlarm(opened.world, key, () => device.kill('hald'));
    device.pause('hald');
    expect(await status()).toMatchObject({ isPaired: true, protection: 'sealed' });
    await callOff(opened.world, key);
    expect(await asksKey()).toBe('ok');
    device.resume('hald');
    await device.answers();
    expect(refusals()).toEqual([]);
  });

  test('that does not open is a fault and no new pairing, and no alert waits for it (SR-11)', async () => {
    const { device } = opened.world;
    await device.powerOff();
    const spoiled = record().slice();
    spoiled[60] = (spoiled[60] ?? 0) ^ 1;
    const database = new DatabaseSync(storePath());
    database.prepare('UPDATE entry SET value = ? WHERE key = ?').run(spoiled, pairingRecord);
    database.close();
    await device.powerOn();
    await isKept('unreadable');
    expect(await asksKey()).toBe('integrity/pairing-unreadable');
    await raiseAlarm(opened.world, key);
    await callOff(opened.world, key);
    expect(toHex(record())).toBe(toHex(spoiled));
    expect(refusals()).toEqual([]);
  });
});
