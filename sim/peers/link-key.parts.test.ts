/**
 * The mouth as it ships, with OpenSSL's provider for TPMs, at a real broker: its key is in the TPM behind the filter of the
 * hands (SR-02). Only the TPM is a simulated one.
 */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type HandsFiles, handsFiles } from '#agents/hands/files';
import { type LinkKeyDoor, openLinkKey } from '#agents/hands/link-key-door';
import { allowedCommands } from '#agents/hands/tcti-filter';
import { exampleSite } from '#agents/package/example-site';
import { deviceLayout, socketPath } from '#agents/programs/layout';
import { type ProgramSpec, type Programs, startPrograms } from '#agents/supervisor/programs';
import { tpmProvider } from '#agents/supervisor/tpm-provider';
import { toBase64 } from '#hal/core/bytes';
import { codeOf, ok, type Result, unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { mqttBroker } from '#hal/linux/mqtt-broker';
import { systemRandom } from '#hal/linux/random';
import { memoryStore } from '#hal/memory/durable-store';
import { type MemoryLog, memoryLog } from '#hal/memory/log';
import { handles } from '#hal/native/commands';
import type { Esys } from '#hal/native/esys';
import { persistent } from '#hal/native/layout';
import { createLinkKey } from '#hal/native/link-key';
import { addonPaths, buildAddons, createPrimary, startEmbedded } from '#hal/native/testing';
import type { Broker } from '#hal/ports/broker';
import { linkMethods } from '#hal/remote/link-methods';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';
import { encodedTemplate } from '#hal/tpm/templates';
import { launchOf } from '#sim/machine/launch';
import { type Authority, certificateDer, certifyClient, newAuthority } from './authority.ts';
import { type BrokerPeer, startBroker } from './broker.ts';

const programs = join(import.meta.dirname, '../../dist/device');
const needed = { 'apt-get install mosquitto': '/usr/sbin/mosquitto', 'apt-get install tpm2-openssl': tpmProvider.module };
const missing = buildAddons() ?? Object.entries(needed).find(([, path]) => !existsSync(path))?.[0];
const clock = linuxClock();
const label = 'd0'.repeat(16);
const commandLabel = 'c0'.repeat(16);
const lifeMs = 3_600_000;
const patient = { timeout: 20_000, interval: 50 };
const code = (result: Result<unknown>) => (result.ok ? 'done' : codeOf(result.fault));

describe.skipIf(missing !== undefined)(`the mouth with its key in the TPM (SR-02) ${missing ?? ''}`, () => {
  let directory: string;
  let run: string;
  let esys: Esys;
  let fleet: Authority;
  let tls: Authority;
  let peer: BrokerPeer;
  let command: Broker;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-mouth-'));
    fleet = await newAuthority('test fleet', 'ed25519', clock);
    tls = await newAuthority('test TLS', 'ed25519', clock);
    peer = unwrap(await startBroker({ directory, secrets: { tlsAuthority: tls, fleetAuthority: fleet }, clock, commandLabel }));
    writeFileSync(deviceLayout(directory).site, siteOf(peer, tls));
    esys = await startEmbedded(join(directory, 'tpm'));
    const { handle } = await createPrimary(esys, handles.owner, encodedTemplate.storage);
    await esys.evictControl(handles.owner, handle, [handles.password], persistent.storageRoot);
    await esys.flushContext(handle);
    const own = await newKey(fleet, commandLabel);
    command = unwrap(
      await mqttBroker({ ...endOf(peer, tls), ...own, clientId: commandLabel, topics: ['enigm/v1/+/up'], random: systemRandom }),
    );
  });
  afterAll(async () => {
    await command?.close();
    await peer?.close();
    await esys?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  let files: HandsFiles;
  let log: MemoryLog;
  let door: LinkKeyDoor;
  let running: Programs;
  let link: SocketClient<typeof linkMethods>;
  beforeEach(() => {
    run = join(directory, 'run');
    mkdirSync(run);
    log = memoryLog();
    files = handsFiles(memoryStore());
  });
  afterEach(async () => {
    link?.close();
    await running?.stop();
    await door?.close();
    rmSync(run, { recursive: true });
  });

  const openDoor = async () => {
    const parts = { esys, files, clock, log, directory: run, epoch: () => ok(1), admits: () => true };
    door = unwrap(await openLinkKey(parts));
  };
  /** As provisioning does. */
  const giveKey = async () => unwrap(door.save(unwrap(await createLinkKey(esys))));
  const startMouth = (changed: Partial<ProgramSpec> = {}) => {
    const paths = { programs, simPrograms: '', key: '', addon: addonPaths.sim, node: process.execPath };
    const { flags, script, words, ...how } = launchOf('linkd', { directory, runDirectory: run, paths }, 'embedded');
    const output = new PassThrough().resume();
    const spec = {
      name: 'linkd',
      command: process.execPath,
      arguments: [...flags, script, ...words],
      output,
      ...how,
      ...changed,
    };
    running = startPrograms([spec], { clock, log: memoryLog(), requestCodes: [], restartCode: 75, onRequest: () => undefined });
    link = socketClient(linkMethods, socketPath(run, 'link'));
  };
  const mouth = () => running.status()[0] ?? { processId: 0, restarts: 0 };
  const answers = () => expect.poll(async () => code(await link.call('link.status', {})), patient).toBe('done');
  const keyShown = async () => new Uint8Array(unwrap(await link.call('link.identity', {})).linkKey);
  const statusNow = async () => unwrap(await link.call('link.status', {}));
  /** As Command does, by the key that the device shows. */
  const joinWith = async (linkKey: Uint8Array) => {
    const certificate = certificateDer(await certifyClient(fleet, label, linkKey, lifeMs, clock));
    return link.call('link.join', { certificate, label, expiresMs: clock.nowMs() + lifeMs });
  };
  const isHeard = async (): Promise<boolean> => {
    const sealed = systemRandom.bytes(64);
    if (!(await link.call('link.publish', { sealed })).ok) return false;
    for await (const { topic, payload } of command.messages(AbortSignal.timeout(5_000)))
      if (topic === `enigm/v1/${label}/up` && toBase64(payload) === toBase64(sealed)) return true;
    return false;
  };

  test('is known to the broker by the key of the TPM, with seven commands, and joins again and again with it', async () => {
    await openDoor();
    await giveKey();
    startMouth();
    await answers();
    const shown = await keyShown();
    expect(shown).toEqual(door.publicKey());
    const certificate = new X509Certificate(await certifyClient(fleet, label, shown, lifeMs, clock));
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    for (let turn = 0; turn < 5; turn += 1) expect(code(await joinWith(await keyShown()))).toBe('done');
    expect(await isHeard()).toBe(true);
    expect(new Uint8Array((await statusNow()).linkKey ?? [])).toEqual(shown);
    expect((await statusNow()).keyFault).toBeUndefined();
    expect(mouth().restarts).toBe(0);

    await running.stop();
    await expect.poll(() => log.entries.filter(({ event }) => event === 'tcti.left').length, patient).toBe(1);
    const sent = log.entries.find(({ event }) => event === 'tcti.left')?.fields ?? {};
    expect(Object.keys(sent).every((name) => Object.hasOwn(allowedCommands, name))).toBe(true);
    expect(sent['sign']).toBe(5);
  });

  test('has no private key of its own, in its memory or in a file; a mouth without the TPM has one', async () => {
    await openDoor();
    await giveKey();
    startMouth();
    await answers();
    expect(code(await joinWith(await keyShown()))).toBe('done');
    expect(privateKeysIn(mouth().processId ?? 0)).toBe(0);
    for (const name of readdirSync(run, { withFileTypes: true }))
      if (name.isFile()) expect(readFileSync(join(run, name.name), 'latin1'), name.name).not.toMatch(/BEGIN (?:EC )?PRIVATE KEY/);
    expect(readFileSync(socketPath(run, 'tpmKey'), 'latin1')).toMatch(/^-----BEGIN TSS2 PRIVATE KEY-----/);

    rmSync(socketPath(run, 'tpmKey'));
    expect(code(await joinWith(await keyShown()))).toBe('done');
    expect(privateKeysIn(mouth().processId ?? 0)).toBeGreaterThan(0);
  });

  test('makes no connection more once the filter is gone, and is another process with the same key when it is back', async () => {
    await openDoor();
    await giveKey();
    startMouth();
    await answers();
    const shown = await keyShown();
    expect(code(await joinWith(shown))).toBe('done');
    await door.close();
    expect(await isHeard()).toBe(true);
    expect(code(await joinWith(shown))).toBe('unavailable/broker-unreachable');
    expect(await isHeard()).toBe(false);

    await openDoor();
    await expect.poll(() => mouth().restarts, patient).toBe(1);
    await answers();
    expect(await keyShown()).toEqual(shown);
    expect(code(await joinWith(shown))).toBe('done');
    expect(await isHeard()).toBe(true);
  });

  test('takes the key that comes while it runs, without another start', async () => {
    await openDoor();
    startMouth();
    await answers();
    expect((await keyShown()).length).toBe(44);
    expect((await statusNow()).keyFault).toBe('unavailable/not-provisioned');
    await giveKey();
    expect(await keyShown()).toEqual(door.publicKey());
    expect(code(await joinWith(await keyShown()))).toBe('done');
    expect(mouth().restarts).toBe(0);
  });

  test('goes on with a key of its own where there is no provider, and says why', async () => {
    await openDoor();
    await giveKey();
    startMouth({ environment: { OPENSSL_MODULES: '/nonexistent' } });
    await answers();
    const shown = await keyShown();
    expect(shown.length).toBe(44);
    expect(code(await joinWith(shown))).toBe('done');
    expect(await isHeard()).toBe(true);
    expect(await statusNow()).toMatchObject({ keyFault: 'unavailable/not-supported' });
  });

  test('goes on with a key of its own while there is no TPM, and takes the TPM when it comes', async () => {
    startMouth({ after: join(directory, 'site.json') });
    await answers();
    expect((await keyShown()).length).toBe(44);
    await openDoor();
    await giveKey();
    await expect.poll(() => mouth().restarts, patient).toBe(1);
    await answers();
    expect(await keyShown()).toEqual(door.publicKey());
  });

  test('does not use a key that another TPM wrapped', async () => {
    const other = await startEmbedded(join(directory, 'other'));
    const { handle } = await createPrimary(other, handles.owner, encodedTemplate.storage);
    await other.evictControl(handles.owner, handle, [handles.password], persistent.storageRoot);
    await other.flushContext(handle);
    const foreign = unwrap(await createLinkKey(other));
    await other.close();
    await openDoor();
    unwrap(door.save(foreign));
    startMouth();
    await answers();
    expect((await keyShown()).length).toBe(44);
    expect((await statusNow()).keyFault).toBe('unavailable/tpm-failed');
  });

  test('is not followed by another program: the broker refuses a certificate that Command did not give', async () => {
    const impostor = await newAuthority('test fleet', 'ed25519', clock);
    const own = await newKey(impostor, label);
    const refused = await mqttBroker({ ...endOf(peer, tls), ...own, clientId: label, topics: [], random: systemRandom });
    expect(code(refused)).toMatch(/^unavailable\/broker-/);
    const refusals = () => /certificate verify failed|alert/i.test(readFileSync(peer.logPath, 'utf8'));
    await expect.poll(refusals, patient).toBe(true);
  });
});

const endOf = ({ host, port }: BrokerPeer, tls: Authority) => ({ host, port, authority: tls.certificate });

/** A key in memory, with a certificate of this authority. */
const newKey = async (authority: Authority, name: string) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const info = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
  return {
    certificate: await certifyClient(authority, name, info, lifeMs, clock),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
};

/** A site with this broker; nobody else in it is there. */
const siteOf = ({ host, port }: BrokerPeer, tls: Authority): string => {
  const url = 'https://127.0.0.1:1/nobody';
  const keys = { classical: toBase64(new Uint8Array(32)), postQuantum: toBase64(new Uint8Array(1952)) };
  const authority = tls.certificate;
  return JSON.stringify({
    ...exampleSite,
    ...{ identityIssuer: keys, accountService: keys },
    verifier: { name: 'verifier', url, authority, keys },
    fleet: {
      command: { url, authority, keys, sealingKey: toBase64(new Uint8Array(1216)) },
      broker: { host, port, authority },
      repository: { url, authority, root: toBase64(new Uint8Array(8)), hardware: 'test' },
    },
  });
};

/** Private keys in PEM in what a process may write to: proc_pid_maps(5), proc_pid_mem(5). */
const privateKeysIn = (processId: number): number => {
  const memory = openSync(`/proc/${processId}/mem`, 'r');
  let found = 0;
  for (const line of readFileSync(`/proc/${processId}/maps`, 'utf8').split('\n')) {
    const [, from = '', to = ''] = line.match(/^([0-9a-f]+)-([0-9a-f]+) rw/) ?? [];
    const length = Number.parseInt(to, 16) - Number.parseInt(from, 16);
    if (!(length > 0 && length <= 256 * 1024 * 1024) || line.endsWith('[vvar]')) continue;
    const bytes = Buffer.alloc(length);
    try {
      readSync(memory, bytes, 0, length, Number.parseInt(from, 16));
    } catch {
      continue;
    }
    found += bytes.toString('latin1').match(/-----BEGIN (?:EC )?PRIVATE KEY-----\n[A-Za-z0-9+/]{16}/g)?.length ?? 0;
  }
  closeSync(memory);
  return found;
};
