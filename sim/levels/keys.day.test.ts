/** The life of keys on a running device: listed, rotated, revoked; and none of them in the open. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyClassNames } from '#agents/keys/registry';
import { deviceLayout } from '#agents/programs/layout';
import { unwrap } from '#hal/core/result';
import { setUpKey } from '#sim/scenarios/emergency';
import { messaging, signIn } from '#sim/scenarios/person';
import { makeReady, openTestWorld, type TestWorld } from './device.fixture.ts';
import { type Secrets, scanFiles, scanMemory, secretsOf } from './secrets.fixture.ts';

interface ListedKey {
  readonly keyId?: string;
  readonly epoch?: number;
  readonly state: string;
}

describe('the keys of a running device', () => {
  let opened: TestWorld;
  let scratch: string;
  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'enigm-keys-'));
    opened = await openTestWorld('swtpm');
    await makeReady(opened.world);
    await signIn(opened.world, opened.world.device);
  });
  afterAll(async () => {
    await opened[Symbol.asyncDispose]();
    rmSync(scratch, { recursive: true, force: true });
  });

  const enigmctl = (...words: readonly string[]) => opened.world.device.enigmctl(...words);
  const keysOf = async (name: string): Promise<readonly ListedKey[]> => {
    const { code, json } = await enigmctl('keys', 'list', name);
    expect(code).toBe(0);
    return json['keys'] as readonly ListedKey[];
  };
  const idOf = async (name: string, state: string): Promise<string> => {
    const key = (await keysOf(name)).find((one) => one.state === state);
    return key?.keyId ?? `no ${state} key of ${name}`;
  };
  const lives = (): number => opened.world.machine.status().find(({ name }) => name === 'agentd')?.restarts ?? 0;
  /** The mind starts anew after the answer, and the person signs in again. */
  const afterNewStart = async (before: number): Promise<void> => {
    const { device, until } = opened.world;
    await until('the mind started anew', () => lives() > before);
    await until('the mind serves its door', async () => (await device.app.call('device.status', {})).ok);
    await signIn(opened.world, device);
  };
  const attested = async () => (await enigmctl('attest', 'now')).json['status'];

  test('are listed by class, each with its five verbs, and the lists say nothing that is secret', async () => {
    const { code, json } = await enigmctl('keys', 'list');
    expect(code).toBe(0);
    const classes = json['classes'] as readonly Record<string, unknown>[];
    expect(classes.map(({ keyClass }) => keyClass)).toEqual(keyClassNames);
    for (const name of [
      'attestation-key',
      'attestation',
      'audit',
      'report',
      'verifier',
      'issuer',
      'account',
      'intelligence',
      'command',
      'root',
      'targets',
      'os',
      'repair',
    ])
      expect(await idOf(name, 'active'), name).toMatch(/^[0-9a-f]{64}$/);
  });

  test('of attestation rotate by another enrolment, and the verifier goes on affirming', async () => {
    const before = await idOf('attestation', 'active');
    const rotated = await enigmctl('keys', 'rotate', 'attestation');
    expect(rotated).toMatchObject({ code: 0, json: { keyClass: 'attestation', epoch: 2 } });
    expect(await keysOf('attestation')).toMatchObject([
      { keyId: before, epoch: 1, state: 'retired' },
      { keyId: rotated.json['keyId'], epoch: 2, state: 'active' },
    ]);
    expect(await attested()).toBe('affirming');
    await opened.world.device.powerOff();
    await opened.world.device.powerOn();
    await opened.world.device.answers();
    await opened.world.until(
      'the mind serves its door',
      async () => (await opened.world.device.app.call('device.status', {})).ok,
    );
    expect(await attested()).toBe('affirming');
    await signIn(opened.world, opened.world.device);
  });

  test('of the audit log rotate in the log itself; old proofs hold until their key is revoked', async () => {
    const proof = join(scratch, 'old.proof');
    expect((await enigmctl('audit', 'prove', '1', '--out', proof)).code).toBe(0);
    const old = await idOf('audit', 'active');
    expect(await enigmctl('keys', 'revoke', 'audit', old)).toMatchObject({ code: 3, json: { fault: { reason: 'key-in-use' } } });
    expect(await enigmctl('keys', 'rotate', 'audit')).toMatchObject({ code: 0, json: { epoch: 2 } });
    expect(await enigmctl('audit', 'verify')).toMatchObject({ code: 0, json: { state: 'intact' } });
    expect((await enigmctl('audit', 'check', proof, '--ours')).code).toBe(0);

    const before = lives();
    expect((await enigmctl('keys', 'revoke', 'audit', old)).code).toBe(0);
    await afterNewStart(before);
    expect(await enigmctl('audit', 'check', proof, '--ours')).toMatchObject({
      code: 4,
      json: { fault: { category: 'integrity', reason: 'key-revoked' } },
    });
    expect(await enigmctl('audit', 'verify')).toMatchObject({ code: 0, json: { state: 'intact' } });
  });

  test('of handles rotate: the account service knows the device by another name, where a session is opened anew', async () => {
    const { device } = opened.world;
    const handleNow = async () => (await enigmctl('attest', 'now')).json['handle'];
    const handle = await handleNow();
    const before = lives();
    expect(await enigmctl('keys', 'rotate', 'handle')).toMatchObject({ code: 0, json: { epoch: 2 } });
    await afterNewStart(before);
    expect(await handleNow()).not.toBe(handle);
    await opened.world.until('the device allows again', async () => {
      await device.app.call('posture.read', {});
      const decided = await device.app.call('decision.authorize', messaging);
      return decided.ok && decided.value.isAllowed;
    });
  });

  test('of others say who rotates them, under a stable code', async () => {
    for (const name of ['root', 'issuer', 'link', 'attestation-key'])
      expect(await enigmctl('keys', 'rotate', name), name).toMatchObject({
        code: 3,
        json: { fault: { category: 'policy', reason: 'key-elsewhere' } },
      });
    expect(await enigmctl('keys', 'rotate', 'no-such-class')).toMatchObject({
      code: 3,
      json: { fault: { reason: 'key-unknown' } },
    });
  });

  test('of a service verify nothing once they are revoked, not even with the older files of the device put back', async () => {
    const { device, enyra } = opened.world;
    const outcome = () =>
      device.app.call('intelligence.present', { envelope: enyra.conclude({ category: 'low', lifeMs: 60_000 }) });
    expect((await outcome()).ok).toBe(true);
    const id = await idOf('intelligence', 'active');
    expect(await enigmctl('keys', 'revoke', 'intelligence', id)).toMatchObject({
      code: 3,
      json: { fault: { reason: 'last-key' } },
    });
    expect((await outcome()).ok).toBe(true);

    const older = join(scratch, 'older');
    await device.powerOff();
    cpSync(deviceLayout(device.directory).hands, older, { recursive: true });
    await device.powerOn();
    await device.answers();
    await opened.world.until('the mind serves its door', async () => (await device.app.call('device.status', {})).ok);
    await signIn(opened.world, device);

    const before = lives();
    expect((await enigmctl('keys', 'revoke', 'intelligence', id, '--last')).code).toBe(0);
    await afterNewStart(before);
    const refused = { ok: false, fault: { category: 'integrity', reason: 'key-revoked' } };
    expect(await outcome()).toMatchObject(refused);

    await device.powerOff();
    rmSync(deviceLayout(device.directory).hands, { recursive: true });
    cpSync(older, deviceLayout(device.directory).hands, { recursive: true });
    await device.powerOn();
    await device.answers();
    await opened.world.until('the mind serves its door', async () => (await device.app.call('device.status', {})).ok);
    expect(await outcome()).toMatchObject(refused);
    expect(await idOf('intelligence', 'revoked')).toBe(id);
  });

  describe('in the open', () => {
    let secrets: Secrets;
    beforeAll(async () => {
      const { device, until } = opened.world;
      await signIn(opened.world, device);
      for (let count = 0; count < 2; count += 1) expect((await enigmctl('keys', 'rotate', 'report')).code).toBe(0);
      unwrap(await setUpKey(opened.world, unwrap(opened.world.beacon.key)));
      await device.powerOff();
      secrets = await secretsOf(device.directory, join(scratch, 'copy'), opened.paths.addon);
      await device.powerOn();
      await device.answers();
      await until('the mind serves its door', async () => (await device.app.call('device.status', {})).ok);
      await signIn(opened.world, device);
      // Every key is used: quotes and evidence, handles, checkpoints, the counter, the pairing with the Key.
      const key = unwrap(opened.world.beacon.key);
      key.pass(60_000);
      key.dock();
      await until('the Key answers', async () => (await device.relay.call('beacon.status', { asksKey: true })).ok);
      key.undock();
      expect(unwrap(await device.relay.call('beacon.status', { asksKey: false })).protection).toBe('sealed');
      for (let count = 0; count < 3; count += 1) {
        expect(await attested()).toBe('affirming');
        expect((await enigmctl('audit', 'prove', '1', '--out', join(scratch, `proof-${count}`))).code).toBe(0);
      }
    });
    const processOf = (program: string): number =>
      opened.world.machine.status().find(({ name }) => name === program)?.processId ?? 0;

    test('are where they are looked for: in the memory of this test', () => {
      // Four alone, of the seven key pairs that were made here two seeds and what each expands to, and four of the relay.
      expect(secrets.size).toBe(4 + 7 * 4 + 4);
      const { found } = scanMemory(secrets, process.pid);
      for (const name of secrets.keys())
        expect(
          found.some((place) => place.startsWith(name)),
          name,
        ).toBe(true);
    });

    test('are in the memory of the relay where they are its own, and none else is', () => {
      const own = (name: string): boolean => name.startsWith('relay: ');
      const { found } = scanMemory(secrets, processOf('beacond'));
      expect(found.filter((place) => !own(place))).toEqual([]);
      for (const name of ['relay: storage key', 'relay: static secret', 'relay: advertising key'])
        expect(
          found.some((place) => place.startsWith(name)),
          name,
        ).toBe(true);
    });

    test('are in no file of the device, its logs and the store of the relay included', () => {
      expect(existsSync(join(deviceLayout(opened.world.device.directory).beacon, 'beacon.db'))).toBe(true);
      const { files, found } = scanFiles(secrets, opened.world.device.directory);
      expect(files).toBeGreaterThan(10);
      expect(found).toEqual([]);
    });

    test.each(['agentd', 'linkd', 'inferd', 'paged', 'hald'])(
      'are nowhere in the memory of %s, of which a core dump is made',
      (program) => {
        const { bytes, found } = scanMemory(secrets, processOf(program));
        expect(bytes).toBeGreaterThan(10 * 1024 * 1024);
        expect(found).toEqual([]);
      },
    );
  });
});
