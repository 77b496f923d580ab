/** The hands as a whole, over a TPM inside this process: who may come in, what a visit leaves, what a restart ends. */

import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askStorageKey } from '#agents/beacon/storage-key';
import { handsLife } from '#agents/mind/life';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, done, type Fault, ok, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import { systemRandom } from '#hal/linux/random';
import { noUpdates } from '#hal/linux/unsupported';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { memoryManaged } from '#hal/memory/managed';
import { memoryNetPolicy } from '#hal/memory/net-policy';
import { memorySignals } from '#hal/memory/signals';
import { handles } from '#hal/native/commands';
import { nvIndex } from '#hal/native/layout';
import { buildAddons, startEmbedded, temporaryDirectory } from '#hal/native/testing';
import { esysFloor } from '#hal/native/tpm-floor';
import type { NetPolicy } from '#hal/ports/net-policy';
import { remoteHands } from '#hal/remote/hands-client';
import { handsMethods } from '#hal/remote/hands-methods';
import { relayMethods, storageKeyBox, storageKeyInfo } from '#hal/remote/relay-methods';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';
import { floorApprovals } from '#hal/tpm/floor.fixture';
import { type DeviceFloor, deviceFloor } from './device-floor.ts';
import { type FactoryMethods, factoryMethods } from './factory-methods.ts';
import { type Door, type Hands, startHands } from './hands.ts';
import { openReceipt } from './receipt.ts';

const missing = buildAddons();
const code = (result: Result<unknown>) => (result.ok ? 'done' : codeOf(result.fault));

describe.skipIf(missing !== undefined)(`the hands over a software TPM ${missing ?? ''}`, () => {
  const directory = temporaryDirectory();
  const run = join(directory.path, 'run');
  const disk = new Map<string, Uint8Array>();
  const bootId = new Uint8Array(16).fill(5);
  const reboots: string[] = [];
  const log = memoryLog();
  const admitted = new Set<Door>();
  const clock = linuxClock();
  let hands: Hands;
  /** What the machine is like from its next boot on. */
  let network = (): NetPolicy => memoryNetPolicy();
  let dataFault: Fault | undefined;
  /** Whether its programs know of a floor, and what they bring. */
  let hasFloor = true;
  let floor: DeviceFloor;

  const start = async () => {
    const esys = await startEmbedded(join(directory.path, 'tpm'));
    floor = deviceFloor(esysFloor(esys, floorApprovals(2)), memoryStore(disk));
    hands = unwrap(
      await startHands({
        esys,
        crypto: nodeCrypto,
        clock,
        random: systemRandom,
        log,
        bootLog: { read: async () => ok(new Uint8Array()) },
        platform: { read: async () => ok({}) },
        signals: memorySignals(),
        supply: { read: async () => ok({ isOnMains: true }) },
        power: {
          reboot: async (cause) => {
            reboots.push(cause);
            return done;
          },
        },
        managed: { ...memoryManaged(clock), network: network() },
        updates: noUpdates,
        floor: hasFloor ? floor : undefined,
        bootId,
        isSimulated: true,
        store: memoryStore(disk),
        dataFault,
        runDirectory: run,
        admits: (_, door) => admitted.has(door),
      }),
    );
  };
  const restart = async () => {
    await hands.close();
    await start();
  };
  const mind = () => socketClient(handsMethods, join(run, 'hands.sock'));
  const storageKey = () => askStorageKey(nodeCrypto, systemRandom, join(run, 'relay.sock'))(new AbortController().signal);
  const withFactory = async <T>(use: (factory: SocketClient<FactoryMethods>) => Promise<T>): Promise<T> => {
    const factory = socketClient(factoryMethods, join(run, 'factory.sock'));
    const used = await use(factory);
    factory.close();
    return used;
  };

  beforeAll(async () => {
    mkdirSync(run);
    await start();
  });
  afterAll(async () => {
    await hands.close();
    directory[Symbol.dispose]();
  });

  test('let nobody in whom the kernel does not name, and say so', async () => {
    const client = mind();
    expect(code(await client.call('hands.hello', {}))).toBe('unavailable/program-down');
    expect(log.entries).toContainEqual(expect.objectContaining({ event: 'socket.refused' }));
    admitted.add('mind');
    expect(unwrap(await client.call('hands.hello', {}))).toMatchObject({ isProvisioned: false, lastSequence: 0 });
    expect(code(await withFactory((factory) => factory.call('provision.inspect', {})))).toBe('unavailable/program-down');
    expect(code(await storageKey())).toBe('unavailable/program-down');
    client.close();
  });

  test('do nothing for a mind before they are provisioned', async () => {
    const client = mind();
    expect(code(await client.call('keys.publicKey', { keyClass: 'audit' }))).toBe('unavailable/not-provisioned');
    expect(code(await client.call('provision.receipt', {}))).toBe('unavailable/not-provisioned');
    expect(unwrap(await client.call('hands.hello', {})).linkKey).toBeUndefined();
    expect([existsSync(join(run, 'tpm.sock')), existsSync(join(run, 'tpm.pem'))]).toEqual([true, false]);
    admitted.add('relay');
    expect(code(await storageKey())).toBe('unavailable/not-provisioned');
    client.close();
  });

  test('provision nothing while the data of the device stays closed, and say so (SR-07)', async () => {
    dataFault = deny('integrity', 'data-closed').fault;
    await restart();
    admitted.add('factory');
    const client = mind();
    expect(unwrap(await client.call('hands.hello', {}))).toMatchObject({ dataFault: 'integrity/data-closed' });
    client.close();
    const ran = await withFactory((factory) => factory.call('provision.run', { step: 'storage-root' }));
    expect(code(ran)).toBe('integrity/data-closed');
    dataFault = undefined;
    await restart();
  });

  test('are provisioned step by step, end with a receipt that verifies, and close the door of the factory', async () => {
    admitted.add('factory');
    await withFactory(async (factory) => {
      expect(code(await factory.call('provision.finish', { technician: 'somebody' }))).toBe('protocol/event-refused');
      const { steps } = unwrap(await factory.call('provision.inspect', {}));
      expect(steps.map(({ name }) => name)).toEqual(['storage-root', 'attestation-key', 'device-secret', 'link-key', 'floor']);
      for (const { name } of steps) expect(code(await factory.call('provision.run', { step: name })), name).toBe('done');
      // The mouth that waits for it needs no other start of the hands.
      expect(existsSync(join(run, 'tpm.pem'))).toBe(true);
      // Until the visit has ended the secret may still be another one.
      expect(code(await storageKey())).toBe('unavailable/not-provisioned');
      const receipt = unwrap(await factory.call('provision.finish', { technician: 'somebody' }));
      const visit = unwrap(openReceipt(nodeCrypto, receipt.envelope, receipt.key));
      expect(visit.technician).toBe('somebody');
      expect(code(openReceipt(nodeCrypto, receipt.envelope, { ...receipt.key, classical: new Uint8Array(32) }))).toBe(
        'integrity/signature-missing',
      );
      for (const method of ['provision.run', 'provision.finish'] as const)
        expect(
          code(
            method === 'provision.run'
              ? await factory.call(method, { step: 'device-secret' })
              : await factory.call(method, { technician: 'another' }),
          ),
        ).toBe('unavailable/already-provisioned');
    });
    await restart();
    expect(code(await withFactory((factory) => factory.call('provision.inspect', {})))).toBe('unavailable/program-down');
    expect(existsSync(join(run, 'tpm.sock'))).toBe(true);
    const client = mind();
    expect(unwrap(await client.call('hands.hello', {})).isProvisioned).toBe(true);
    client.close();
  });

  test('reboot under a permit of their present life, and under none of an earlier one (SR-01)', async () => {
    const client = mind();
    const remote = remoteHands(client);
    const life = handsLife(clock, remote.hello, unwrap(await remote.hello()));
    const call = remote.effectors.reboot('asked-by-user');
    const leaf = new Uint8Array(32);
    expect(code(await call.run(unwrap(await life.mint(call, leaf))))).toBe('done');
    const kept = unwrap(await life.mint(call, leaf));
    await restart();
    await expect.poll(async () => code(await call.run(kept))).toBe('authorization/permit-invalid');
    expect(reboots).toEqual(['asked-by-user']);
    expect(code(await call.run(unwrap(await life.mint(call, leaf))))).toBe('done');
    expect(reboots.length).toBe(2);
    client.close();
  });

  test('put the network policy of before in force before they answer anybody, and say where nothing passes instead', async () => {
    const client = mind();
    const remote = remoteHands(client);
    const life = handsLife(clock, remote.hello, unwrap(await remote.hello()));
    const call = remote.effectors.applyNetwork({ version: 1, policy: { mode: 'open', allowedUsers: [], deniedUsers: [1002] } });
    expect(code(await call.run(unwrap(await life.mint(call, new Uint8Array(32)))))).toBe('done');
    const before = unwrap(await remote.network.read());
    await restart();
    await expect.poll(async () => code(await remote.hello())).toBe('done');
    expect(unwrap(await remote.network.read())).toEqual(before);
    expect(unwrap(await remote.hello()).networkFault).toBeUndefined();

    const refusing = memoryNetPolicy();
    network = () => ({
      ...refusing,
      apply: async (policy) => (policy.mode === 'open' ? deny('unavailable', 'not-supported') : refusing.apply(policy)),
    });
    await restart();
    await expect.poll(async () => code(await remote.hello())).toBe('done');
    expect(unwrap(await remote.hello()).networkFault).toBe('unavailable/not-supported');
    const silence = refusing.expected({ mode: 'silent', allowedUsers: [], deniedUsers: [] });
    expect(unwrap(await remote.network.read())?.digest).toEqual(new Uint8Array(silence));
    expect(log.entries).toContainEqual(
      expect.objectContaining({
        event: 'network.not-in-force',
        fields: expect.objectContaining({ code: 'unavailable/not-supported' }),
      }),
    );
    client.close();
  });

  test('offer the mouth one key over restarts, and another with each epoch of the handle (SR-02, SR-21)', async () => {
    const client = mind();
    const remote = remoteHands(client);
    const offered = async () => {
      await expect.poll(async () => code(await remote.hello())).toBe('done');
      const file = readFileSync(join(run, 'tpm.pem'), 'utf8');
      expect(file).toMatch(/^-----BEGIN TSS2 PRIVATE KEY-----\n/);
      // The public area in the file is that of the key which the mind hears of.
      const linkKey = unwrap(await remote.hello()).linkKey ?? new Uint8Array();
      const body = Buffer.from(file.replaceAll(/-----[A-Z0-9 ]+-----|\n/g, ''), 'base64');
      for (const coordinate of [linkKey.subarray(27, 59), linkKey.subarray(59)])
        expect(body.includes(Buffer.from(coordinate))).toBe(true);
      return { key: toHex(linkKey), file, socketMs: statSync(join(run, 'tpm.sock')).ctimeMs };
    };
    const first = await offered();
    await restart();
    const again = await offered();
    expect([again.key, again.file]).toEqual([first.key, first.file]);

    const life = handsLife(clock, remote.hello, unwrap(await remote.hello()));
    const call = remote.effectors.rotateKey({ keyClass: 'handle', epoch: 2 });
    expect(code(await call.run(unwrap(await life.mint(call, new Uint8Array(32)))))).toBe('done');
    const second = await offered();
    expect(second.key).not.toBe(first.key);
    expect(second.socketMs).toBeGreaterThan(again.socketMs);
    await restart();
    expect((await offered()).key).toBe(second.key);

    // Cut after the key of the third epoch was kept, and before its epoch was.
    disk.set('link-key-epoch', Uint8Array.of(0, 0, 0, 1));
    await restart();
    expect((await offered()).key).not.toBe(second.key);
    client.close();
  });

  test('give the relay one key over restarts, through its own door, and nobody whom the kernel does not name', async () => {
    const given = unwrap(await storageKey());
    expect(given.length).toBe(32);
    await restart();
    expect(toHex(unwrap(await storageKey()))).toBe(toHex(given));
    admitted.delete('relay');
    expect(code(await storageKey())).toBe('unavailable/program-down');
    admitted.add('relay');
  });

  test('give the relay its key sealed to one question: a reply opens under no other', async () => {
    const box = storageKeyBox(nodeCrypto, systemRandom);
    const [mine, another] = [systemRandom.bytes(32), systemRandom.bytes(32)];
    const relay = socketClient(relayMethods, join(run, 'relay.sock'));
    const { sealed } = unwrap(await relay.call('relay.storageKey', { publicKey: box.kem.publicKey(mine) }));
    const none = new Uint8Array();
    expect(toHex(unwrap(box.open(mine, storageKeyInfo, none, sealed)))).toBe(toHex(unwrap(await storageKey())));
    expect(code(box.open(another, storageKeyInfo, none, sealed))).toBe('integrity/decryption-failed');
    expect(code(await relay.call('relay.storageKey', { publicKey: new Uint8Array(32) }))).toBe('integrity/peer-key-invalid');
    relay.close();
  });

  test('give the same keys and handles over a restart, and another handle for each party and epoch (SR-21)', async () => {
    const client = mind();
    const handle = async (relyingParty: string, epoch: number) =>
      Buffer.from(unwrap(await client.call('keys.handle', { relyingParty, epoch })).handle).toString('hex');
    const before = [await handle('account', 1), await handle('account', 2), await handle('command', 1)];
    expect(new Set(before).size).toBe(3);
    await restart();
    const after = async () => {
      const answered = await client.call('hands.hello', {});
      return answered.ok;
    };
    await expect.poll(after).toBe(true);
    expect([await handle('account', 1), await handle('account', 2), await handle('command', 1)]).toEqual(before);
    client.close();
  });

  test('make the floor of a device that was provisioned before there was one, at their next start (SR-08)', async () => {
    // As its TPM and its disk were then.
    await hands.close();
    const esys = await startEmbedded(join(directory.path, 'tpm'));
    await esys.nvUndefineSpace(handles.owner, await esys.handleOf(nvIndex.floor, []), [handles.password]);
    await esys.close();
    disk.delete('floor-defined');
    disk.set('floor-epoch', Uint8Array.of(2));
    hasFloor = false;
    await start();
    expect(code(await floor.read())).toBe('unavailable/floor-missing');
    hasFloor = true;
    await restart();
    expect(unwrap(await floor.read())).toBe(2);
    disk.delete('floor-epoch');
    expect(unwrap(await floor.read())).toBe(2);
  });

  test('row 47: run on with a TPM that was cleared, make no other floor in it, and say so', async () => {
    await hands.close();
    const esys = await startEmbedded(join(directory.path, 'tpm'));
    await esys.clear(handles.lockout, [handles.password]);
    await esys.close();
    await start();
    const client = mind();
    expect(unwrap(await client.call('hands.hello', {}))).toMatchObject({ isProvisioned: true });
    client.close();
    expect(code(await floor.read())).toBe('integrity/tpm-cleared');
    const fields = expect.objectContaining({ code: 'integrity/tpm-cleared' });
    expect(log.entries).toContainEqual(expect.objectContaining({ event: 'floor.none', fields }));
  });
});
