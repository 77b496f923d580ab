import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, done, unwrap } from '#hal/core/result';
import { versionFloor } from '#hal/core/version-floor';
import { fileBootLog } from '#hal/linux/boot-log';
import { linuxClock } from '#hal/linux/clock';
import { linuxPlatform } from '#hal/linux/platform';
import { linuxSupply } from '#hal/linux/supply';
import { noSignals, noUpdates } from '#hal/linux/unsupported';
import { memoryStore } from '#hal/memory/durable-store';
import { emptyKeyLedger } from '#hal/memory/key-ledger';
import { memoryLog } from '#hal/memory/log';
import { memoryManaged } from '#hal/memory/managed';
import { unsealSecret } from '#hal/native/device-secret';
import type { Esys } from '#hal/native/esys';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import { addonPaths, buildAddons, startEmbedded, temporaryDirectory } from '#hal/native/testing';
import { dispatcher } from '#hal/remote/dispatcher';
import { remoteHands } from '#hal/remote/hands-client';
import { handsMethods } from '#hal/remote/hands-methods';
import { handsDoor } from '#hal/remote/hands-server';
import { socketClient } from '#hal/remote/socket-client';
import { serveSocket } from '#hal/remote/socket-server';
import { deviceOver, provisionAll } from './device.fixture.ts';
import { type TpmUnderTest, tpmContract } from './tpm.ts';

const missing = buildAddons();

describe.skipIf(missing !== undefined)(`on software TPMs ${missing ?? ''}`, () => {
  const directory = temporaryDirectory();
  const opened: { embedded?: TpmUnderTest & { esys: Esys }; swtpm?: TpmUnderTest; remote?: TpmUnderTest } = {};
  const closers: (() => Promise<unknown> | unknown)[] = [];
  const use = (which: keyof typeof opened) => (): TpmUnderTest => {
    const found = opened[which];
    if (found === undefined) throw new Error(`${which} is not open`);
    return found;
  };

  beforeAll(async () => {
    const esys = await startEmbedded(join(directory.path, 'embedded'));
    const device = deviceOver(esys);
    await provisionAll(device.provisioning);
    opened.embedded = { ...device, esys };
    closers.push(() => esys.close());

    const { startSwtpm } = await import('./swtpm.fixture.ts');
    const swtpm = await startSwtpm(join(directory.path, 'swtpm'));
    const swtpmEsys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: swtpm.path } }));
    await swtpmEsys.startup(0);
    const swtpmDevice = deviceOver(swtpmEsys);
    await provisionAll(swtpmDevice.provisioning);
    opened.swtpm = swtpmDevice;
    closers.push(() => swtpmEsys.close().then(() => swtpm.stop()));

    const path = join(directory.path, 'hands.sock');
    const door = handsDoor(
      {
        tpm: device.tpm,
        keys: device.keys,
        bootLog: fileBootLog('/nonexistent'),
        platform: linuxPlatform(),
        supply: linuxSupply(),
        signals: noSignals,
        power: { reboot: async () => done },
        clock: linuxClock(),
        ...memoryManaged(linuxClock()),
        ...noUpdates,
        floor: versionFloor(memoryStore()),
        keyLedger: emptyKeyLedger,
        receipt: async () => deny('unavailable', 'not-provisioned'),
      },
      {
        bootId: new Uint8Array(16),
        permitKey: new Uint8Array(32),
        isSimulated: true,
        isProvisioned: () => true,
        networkFault: () => undefined,
      },
    );
    const server = unwrap(
      await serveSocket(dispatcher(handsMethods, door.handlers, { guard: door.guard }), { path, log: memoryLog() }),
    );
    const client = socketClient(handsMethods, path);
    opened.remote = remoteHands(client);
    closers.unshift(() => {
      client.close();
      return server.close();
    });
  });
  afterAll(async () => {
    for (const close of closers) await close();
    directory[Symbol.dispose]();
  });

  tpmContract('TPM in this process', use('embedded'));
  tpmContract('swtpm', use('swtpm'));
  tpmContract('over the socket of the hands', use('remote'));

  test('two devices share no key and no handle', async () => {
    const one = use('embedded')();
    const two = use('swtpm')();
    expect(unwrap(await one.tpm.identity()).attestationPublic).not.toEqual(unwrap(await two.tpm.identity()).attestationPublic);
    expect(toHex(unwrap(await one.keys.handle('account', 1)))).not.toBe(toHex(unwrap(await two.keys.handle('account', 1))));
  });
});

describe.skipIf(missing !== undefined)(`provisioning ${missing ?? ''}`, () => {
  test('can be cut after any step and goes on, and does nothing twice', async () => {
    const directory = temporaryDirectory();
    let esys = await startEmbedded(directory.path);
    let device = deviceOver(esys);
    const names = unwrap(await device.provisioning.inspect()).map(({ name }) => name);
    expect(names).toEqual(['storage-root', 'attestation-key', 'device-secret', 'link-key']);
    for (const [done_, name] of names.entries()) {
      const states = unwrap(await device.provisioning.inspect());
      expect(states.filter(({ isDone }) => isDone).length).toBe(done_);
      unwrap(await device.provisioning.run(name));
      // The power goes: what the TPM and the disk keep is kept, nothing else.
      const { kept } = device;
      await esys.close();
      esys = await startEmbedded(directory.path);
      device = deviceOver(esys, kept);
    }
    const identity = unwrap(await device.tpm.identity());
    const key = unwrap(await device.keys.publicKey('audit'));
    await provisionAll(device.provisioning);
    expect(unwrap(await device.tpm.identity())).toEqual(identity);
    expect(unwrap(await device.keys.publicKey('audit'))).toEqual(key);
    expect(await device.provisioning.run('no-such-step')).toMatchObject({ fault: { reason: 'field-invalid' } });
    await esys.close();
    directory[Symbol.dispose]();
  });

  test('makes a counter that only who can unseal the device secret can move', async () => {
    const directory = temporaryDirectory();
    const esys = await startEmbedded(directory.path);
    const device = deviceOver(esys);
    await provisionAll(device.provisioning);
    const { value } = unwrap(await device.tpm.readCounter());
    const counter = await esys.handleOf(0x01800100, []);
    await esys.setAuth(counter, new Uint8Array(2));
    await expect(esys.nvIncrement(counter, counter, [0xff])).rejects.toMatchObject({ name: 'TpmError' });
    expect(unwrap(await device.tpm.readCounter()).value).toBe(value);
    await esys.close();
    directory[Symbol.dispose]();
  });

  test('seals the device secret to this TPM: another one does not open it', async () => {
    const first = temporaryDirectory();
    const second = temporaryDirectory();
    const one = await startEmbedded(first.path);
    const two = await startEmbedded(second.path);
    const device = deviceOver(one);
    await provisionAll(device.provisioning);
    await provisionAll(deviceOver(two).provisioning);
    const elsewhere = await unsealSecret(two, device.kept.sealed ?? new Uint8Array());
    expect(elsewhere.ok ? 'opened' : codeOf(elsewhere.fault)).toBe('unavailable/tpm-failed');
    await Promise.all([one.close(), two.close()]);
    first[Symbol.dispose]();
    second[Symbol.dispose]();
  });
});
