import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { mqttBroker } from '#hal/linux/mqtt-broker';
import { systemRandom } from '#hal/linux/random';
import { type Broker, maxPayloadBytes } from '#hal/ports/broker';
import { type Authority, certifyClient, newAuthority } from './authority.ts';
import { type BrokerPeer, startBroker } from './broker.ts';

const clock = linuxClock();
const missing = existsSync('/usr/sbin/mosquitto') ? undefined : 'apt-get install mosquitto';
const label = () => randomBytes(16).toString('hex');
const options = { isRetained: false, expiresAfterSeconds: 60 };

describe.skipIf(missing !== undefined)(`a message broker${missing === undefined ? '' : ` (${missing})`}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-broker-'));
  const commandLabel = label();
  let fleet: Authority;
  let tls: Authority;
  let peer: BrokerPeer;
  const open: Broker[] = [];

  beforeAll(async () => {
    fleet = await newAuthority('test fleet', 'ed25519', clock);
    tls = await newAuthority('test TLS', 'ed25519', clock);
    peer = unwrap(await startBroker({ directory, secrets: { tlsAuthority: tls, fleetAuthority: fleet }, clock, commandLabel }));
  });
  afterAll(async () => {
    for (const broker of open) await broker.close();
    await peer.close();
    rmSync(directory, { recursive: true });
  });

  const join5 = async (name: string, topics: readonly string[], by: Authority = fleet, server: Authority = tls) => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
    const broker = await mqttBroker({
      host: peer.host,
      port: peer.port,
      authority: server.certificate,
      certificate: await certifyClient(by, name, raw, 3_600_000, clock),
      key: createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))
        .export({ format: 'pem', type: 'pkcs8' })
        .toString(),
      clientId: name,
      topics,
      random: systemRandom,
    });
    if (broker.ok) open.push(broker.value);
    return broker;
  };
  const next = async (broker: Broker) => {
    for await (const message of broker.messages(AbortSignal.timeout(5_000))) return Buffer.from(message.payload).toString();
    return undefined;
  };

  test('carries a message from a device to Command and back', async () => {
    const name = label();
    const command = unwrap(await join5(commandLabel, ['enigm/v1/+/up']));
    const device = unwrap(await join5(name, [`enigm/v1/${name}/down`]));
    unwrap(await device.publish(`enigm/v1/${name}/up`, Buffer.from('hello'), options));
    expect(await next(command)).toBe('hello');
    unwrap(await command.publish(`enigm/v1/${name}/down`, Buffer.from('answer'), options));
    expect(await next(device)).toBe('answer');
  });

  test('lets no device speak or listen on the topics of another (SR-20)', async () => {
    const [name, other] = [label(), label()];
    const device = unwrap(await join5(name, [`enigm/v1/${name}/down`]));
    expect(await device.publish(`enigm/v1/${other}/up`, Buffer.from('forged'), options)).toMatchObject({
      ok: false,
      fault: { reason: 'broker-refused-us' },
    });
    expect(await device.publish(`enigm/v1/${name}/down`, Buffer.from('forged'), options)).toMatchObject({ ok: false });
  });

  test('refuses a client of another authority, and is refused when its own is another', async () => {
    const foreign = await newAuthority('foreign', 'ed25519', clock);
    const name = label();
    expect(await join5(name, [], foreign)).toMatchObject({ ok: false, fault: { category: 'unavailable' } });
    expect(await join5(name, [], fleet, foreign)).toMatchObject({ ok: false, fault: { reason: 'broker-unreachable' } });
  });

  test('keeps a message for a device that is away', async () => {
    const name = label();
    const device = unwrap(await join5(name, [`enigm/v1/${name}/down`]));
    await device.close();
    const command = open[0] as Broker;
    unwrap(await command.publish(`enigm/v1/${name}/down`, Buffer.from('kept'), options));
    expect(await next(unwrap(await join5(name, [`enigm/v1/${name}/down`])))).toBe('kept');
  });

  test('is found again after it was killed and started again', async () => {
    const name = label();
    const device = unwrap(await join5(name, [`enigm/v1/${name}/down`]));
    await peer.kill();
    expect(await device.publish(`enigm/v1/${name}/up`, Buffer.from('lost'), options)).toMatchObject({ ok: false });
    unwrap(await peer.restart());
    for (let waitedMs = 0; waitedMs < 10_000 && !device.isConnected(); waitedMs += 50)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await device.publish(`enigm/v1/${name}/up`, Buffer.from('found'), options)).toMatchObject({ ok: true });
  });

  test('takes no message that is too large, and knows clients by label alone', async () => {
    const device = open[0] as Broker;
    expect(await device.publish('enigm/v1/x/down', new Uint8Array(maxPayloadBytes + 1), options)).toMatchObject({
      ok: false,
      fault: { category: 'protocol', reason: 'too-large' },
    });
    const names = [...readFileSync(peer.logPath, 'utf8').matchAll(/New client connected from \S+ as (\S+)/g)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(4);
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{32}$/);
  });
});
