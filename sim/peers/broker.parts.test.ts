import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { mqttBroker } from '#hal/linux/mqtt-broker';
import { connectMqtt } from '#hal/linux/mqtt-connection';
import { systemRandom } from '#hal/linux/random';
import { type Broker, maxPayloadBytes } from '#hal/ports/broker';
import { type Authority, certifyClient, certifyServer, newAuthority } from './authority.ts';
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

  const endOf = async (name: string, by: Authority = fleet, server: Authority = tls) => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const info = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
    return {
      host: peer.host,
      port: peer.port,
      authority: server.certificate,
      certificate: await certifyClient(by, name, info, 3_600_000, clock),
      key: createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))
        .export({ format: 'pem', type: 'pkcs8' })
        .toString(),
    };
  };
  const join5 = async (name: string, topics: readonly string[], by: Authority = fleet, server: Authority = tls) => {
    const broker = await mqttBroker({ ...(await endOf(name, by, server)), clientId: name, topics, random: systemRandom });
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

  test('hands no message on that is larger than the device said it takes, and goes on with the next', async () => {
    const name = label();
    const topic = `enigm/v1/${name}/down`;
    for (const broker of open.splice(0)) await broker.close();
    const device = unwrap(await join5(name, [topic]));
    // Somebody in the place of Command, who keeps to no limit of ours; the broker takes 300 000 bytes.
    const settings = { protocolVersion: 5, clientId: commandLabel, clean: false } as const;
    const command = await connectMqtt({ ...(await endOf(commandLabel)), maxPacketBytes: 1_000_000 }, settings);
    await command.publishAsync(topic, Buffer.alloc(maxPayloadBytes + 2_000), { qos: 1 });
    await command.publishAsync(topic, Buffer.alloc(200_000), { qos: 1 });
    await command.publishAsync(topic, Buffer.alloc(maxPayloadBytes, 'a'), { qos: 1 });
    expect((await next(device))?.length).toBe(maxPayloadBytes);
    expect(device.isConnected()).toBe(true);
    await command.endAsync(true);
    const dropped = readFileSync(peer.logPath, 'utf8').match(new RegExp(`Dropping too large outgoing PUBLISH for ${name}`, 'g'));
    expect(dropped?.length).toBe(2);
  });

  test('does not collect a packet from a broker that sends larger ones all the same: the connection is ended at its header', async () => {
    let takenBytes = 0;
    const closed: boolean[] = [];
    const { certificate, key } = await certifyServer(tls, clock);
    const hostile = createServer({ cert: certificate, key });
    hostile.on('secureConnection', (socket) => {
      socket.on('error', () => undefined).on('close', () => closed.push(true));
      socket.on('data', (packet: Buffer) => {
        const type = (packet[0] ?? 0) >> 4;
        if (type === 1) socket.write(Buffer.from([0x20, 3, 0, 0, 0]));
        if (type !== 8) return;
        socket.write(Buffer.concat([Buffer.from([0x90, 4]), packet.subarray(2, 4), Buffer.from([0, 1])]));
        // PUBLISH of 200 MB, piece by piece.
        socket.write(Buffer.from([0x30, 0x80, 0x84, 0xaf, 0x5f]));
        const piece = Buffer.alloc(64 * 1024);
        const pour = () => {
          for (let count = 0; count < 64 && !socket.destroyed; count += 1) {
            takenBytes += piece.length;
            if (!socket.write(piece)) return void socket.once('drain', pour);
          }
          if (!socket.destroyed) setImmediate(pour);
        };
        pour();
      });
    });
    await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
    const { port } = hostile.address() as AddressInfo;
    const name = label();
    const end = { ...(await endOf(name)), port };
    const broker = unwrap(await mqttBroker({ ...end, clientId: name, topics: [`enigm/v1/${name}/down`], random: systemRandom }));
    await expect.poll(() => closed.length, { timeout: 5_000 }).toBeGreaterThan(0);
    expect(takenBytes).toBeLessThan(16 * 1024 * 1024);
    await broker.close();
    await new Promise((resolve) => hostile.close(resolve));
  });

  test('hands on what waited for the device, also where it comes together with the welcome', async () => {
    const acknowledged: string[] = [];
    const { certificate, key } = await certifyServer(tls, clock);
    const busy = createServer({ cert: certificate, key });
    busy.on('secureConnection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (packet: Buffer) => {
        const type = (packet[0] ?? 0) >> 4;
        if (type === 1) socket.write(Buffer.from(`2003000000${'320a0001610007006b657074'}`, 'hex'));
        if (type === 4) acknowledged.push(packet.toString('hex', 0, 4));
        if (type === 8) socket.write(Buffer.concat([Buffer.from([0x90, 4]), packet.subarray(2, 4), Buffer.from([0, 1])]));
      });
    });
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    const { port } = busy.address() as AddressInfo;
    const name = label();
    const end = { ...(await endOf(name)), port };
    const broker = unwrap(await mqttBroker({ ...end, clientId: name, topics: ['a'], random: systemRandom }));
    expect(await next(broker)).toBe('kept');
    expect(acknowledged).toEqual(['40020007']);
    await broker.close();
    await new Promise((resolve) => busy.close(resolve));
  });

  test.each([
    ['a second welcome in one breath with the first', '2003000000', ''],
    ['a release of what it never sent, without an identifier', '', '620137'],
  ])('%s ends the connection, and not the program', async (_, withWelcome, afterwards) => {
    const closed: boolean[] = [];
    const { certificate, key } = await certifyServer(tls, clock);
    const hostile = createServer({ cert: certificate, key });
    hostile.on('secureConnection', (socket) => {
      socket.on('error', () => undefined).on('close', () => closed.push(true));
      socket.once('data', () => {
        socket.write(Buffer.from(`2003000000${withWelcome}`, 'hex'));
        socket.once('data', () => socket.write(Buffer.from(afterwards, 'hex')));
      });
    });
    await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
    const { port } = hostile.address() as AddressInfo;
    const name = label();
    const end = { ...(await endOf(name)), port };
    const broker = await mqttBroker({ ...end, clientId: name, topics: [`enigm/v1/${name}/down`], random: systemRandom });
    await expect.poll(() => closed.length, { timeout: 5_000 }).toBeGreaterThan(0);
    if (broker.ok) await broker.value.close();
    await new Promise((resolve) => hostile.close(resolve));
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
