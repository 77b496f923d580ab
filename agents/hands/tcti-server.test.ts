import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { concat, u16be, u32be } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import { memoryLog } from '#hal/memory/log';
import { serveTcti, type TctiServer } from './tcti-server.ts';

const command = (code: number, ...parameters: readonly Uint8Array[]): Uint8Array => {
  const body = concat(...parameters);
  const bytes = concat(u16be(0x8001), u32be(10 + body.length), u32be(code), body);
  return concat(u32be(8), Uint8Array.of(0), u32be(bytes.length), bytes);
};
/** Passes the filter and goes to the TPM. */
const getCapability = command(0x17a, u32be(6), u32be(0), u32be(1));
/** Is refused by the filter itself. */
const clear = command(0x126);
const answer = concat(u16be(0x8001), u32be(10), u32be(0));
const many = (one: Uint8Array, bytes: number) => Buffer.concat(new Array<Uint8Array>(Math.ceil(bytes / one.length)).fill(one));

describe('the socket before the filter, when the mouth is owned (SR-02)', () => {
  let directory: string;
  let server: TctiServer;
  let transmit: () => Promise<Uint8Array>;
  const clients: Socket[] = [];
  const open = async (name = 'tpm.sock'): Promise<Socket> => {
    const socket = connect({ path: join(directory, name) });
    socket.on('error', () => undefined);
    clients.push(socket);
    await new Promise((connected) => socket.once('connect', connected));
    return socket;
  };
  const roundTrip = (socket: Socket) =>
    new Promise<void>((answered) => {
      socket.once('data', () => answered());
      socket.write(clear);
    });

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-tcti-'));
    transmit = async () => answer;
    server = unwrap(
      await serveTcti({
        path: join(directory, 'tpm.sock'),
        clock: virtualClock(),
        log: memoryLog(),
        admits: () => true,
        transmit: () => transmit(),
        allowedPublic: () => undefined,
        parentHandle: 1,
      }),
    );
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await server.close();
    rmSync(directory, { recursive: true });
  });

  test('reads no more while the TPM is busy: what a client floods stays with the client', async () => {
    let release = () => {};
    const held = new Promise<Uint8Array>((resolve) => {
      release = () => resolve(answer);
    });
    const isAsked = new Promise<void>((resolve) => {
      transmit = () => {
        resolve();
        return held;
      };
    });
    const flood = await open();
    flood.write(many(getCapability, 16 * 1024 * 1024));
    await isAsked;
    const other = await open();
    for (let turn = 0; turn < 500; turn += 1) await roundTrip(other);
    expect(flood.writableLength).toBeGreaterThan(8 * 1024 * 1024);
    release();
  });

  test('closes a client that sends and never reads', async () => {
    const deaf = await open();
    deaf.pause();
    deaf.write(many(clear, 16 * 1024 * 1024));
    await new Promise((closed) => deaf.once('close', closed));
    await roundTrip(await open());
  });

  test('closes a client whose command the TPM did not answer, and serves the next', async () => {
    transmit = () => Promise.reject(new Error('the transport is gone'));
    const client = await open();
    client.resume();
    client.write(getCapability);
    await new Promise((closed) => client.once('close', closed));
    transmit = async () => answer;
    await roundTrip(await open());
  });

  test('ends whoever is connected, to either socket, when it closes', async () => {
    const held = [await open(), await open('tpm.sock.ctrl')];
    const ended = held.map((socket) => new Promise((closed) => socket.resume().once('close', closed)));
    await server.close();
    await Promise.all(ended);
  });

  test('has a bound for connections on the control socket too', async () => {
    const held: Socket[] = [];
    for (let count = 0; count < 8; count += 1) held.push(await open('tpm.sock.ctrl'));
    const late = await open('tpm.sock.ctrl');
    late.resume();
    await new Promise((closed) => late.once('close', closed));
    expect(held.every((socket) => !socket.destroyed)).toBe(true);
  });
});
