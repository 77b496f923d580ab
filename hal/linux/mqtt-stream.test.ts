/** The library behind `checkedPackets`, against a broker that sends whatever it likes: nobody trusts one (SR-20). */
import { Duplex } from 'node:stream';
import { MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromHex } from '#hal/core/bytes';
import { checkedPackets } from './mqtt-stream.ts';

const maxPacketBytes = 1024;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const bytesOf = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array();
const welcome = '2003000000';

const connected = async () => {
  const written: Buffer[] = [];
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk, _, done) => {
      written.push(chunk);
      done();
    },
  });
  const stream = checkedPackets(socket, maxPacketBytes);
  const settings = { protocolVersion: 5, clientId: 'a', clean: false, reconnectPeriod: 3_600_000 } as const;
  const client = new MqttClient(() => stream, settings);
  client.on('error', () => undefined);
  const came = new Promise<void>((resolve) => client.once('connect', () => resolve()));
  socket.push(bytesOf(welcome));
  await came;
  written.length = 0;
  return { socket, client, written };
};

describe('a library that reads whole packets of known kinds', () => {
  const thrown: unknown[] = [];
  const keep = (error: unknown) => thrown.push(error);
  let others: NodeJS.UncaughtExceptionListener[] = [];
  beforeEach(() => {
    thrown.length = 0;
    others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', keep);
  });
  afterEach(() => {
    process.off('uncaughtException', keep);
    for (const listener of others) process.on('uncaughtException', listener);
  });

  test.each([
    ['PUBREL without an identifier', '620137'],
    ['PUBREL of nothing', '6200'],
    ['PUBLISH of QoS 2 without an identifier', '3403000161'],
    ['PUBLISH of QoS 2', '34060001610007aa00'],
    ['PUBLISH of QoS 3', '3606000161000700'],
    ['PUBLISH of QoS 1 without an identifier', '3203000161'],
    ['PUBLISH of QoS 1 with half an identifier', '320400016107'],
    ['PUBREC', '50020001'],
    ['PUBCOMP', '70020001'],
  ])('is not shown %s: the connection is ended, and not the program', async (_, hex) => {
    const { socket, client, written } = await connected();
    socket.push(bytesOf(hex));
    for (let turns = 0; turns < 4; turns += 1) await turn();
    expect(thrown).toEqual([]);
    expect([socket.destroyed, client.connected]).toEqual([true, false]);
    expect(written).toEqual([]);
    client.end(true);
  });

  test.each([
    ['PUBLISH of QoS 1 with identifier 0', '3206000161000000'],
    ['PUBACK without an identifier', '4000'],
    ['PUBACK with half an identifier', '400137'],
    ['PUBACK for nothing that we sent', '40020007'],
    ['SUBACK without an identifier', '9000'],
    ['DISCONNECT of nothing', 'e000'],
    ['a second CONNACK', welcome],
  ])('takes no harm from %s', async (_, hex) => {
    const { socket, client } = await connected();
    socket.push(bytesOf(hex));
    for (let turns = 0; turns < 4; turns += 1) await turn();
    expect(thrown).toEqual([]);
    client.end(true);
  });

  test('never takes the middle of a packet for the beginning of one, after one that it cannot read', async () => {
    const { socket, client } = await connected();
    // A topic longer than its packet, then the header of a packet whose body is a PUBREL.
    socket.push(bytesOf(`3003${'ffff'}61${'3005'}`));
    socket.push(bytesOf('0000620137'));
    for (let turns = 0; turns < 4; turns += 1) await turn();
    expect(thrown).toEqual([]);
    expect(client.connected).toBe(true);
    client.end(true);
  });

  test('is told when the broker has said its last word', async () => {
    const { socket, client } = await connected();
    socket.push(null);
    for (let turns = 0; turns < 4; turns += 1) await turn();
    expect([socket.destroyed, client.connected]).toEqual([true, false]);
    client.end(true);
  });

  test('acknowledges a message of QoS 1, whose bytes come one by one', async () => {
    const { socket, client, written } = await connected();
    const messages: string[] = [];
    client.on('message', (topic, payload) => messages.push(`${topic}: ${payload}`));
    for (const byte of bytesOf('32080001610007006869')) socket.push(Uint8Array.of(byte));
    for (let turns = 0; turns < 4; turns += 1) await turn();
    expect(messages).toEqual(['a: hi']);
    expect(Buffer.concat(written).toString('hex')).toBe('40020007');
    client.end(true);
  });
});
