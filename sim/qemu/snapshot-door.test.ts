import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deny, done } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { maxCharacters, orderSnapshot, serveSnapshots, snapshotPath, type TakeOrder } from './snapshot-door.ts';

const options = { clock: linuxClock(), withinMs: 20_000 };
let run = '';
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'enigm-door-'));
});
afterEach(() => rmSync(run, { recursive: true, force: true }));

const served = async (take: TakeOrder): Promise<Disposable> => {
  const server = await serveSnapshots(run, take);
  return { [Symbol.dispose]: () => void server.close() };
};
/** What comes of bytes that no command of ours says. */
const said = async (bytes: string): Promise<string> => {
  const socket = connect({ path: snapshotPath(run), allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.end(bytes);
  return text(socket).catch(() => '');
};

describe('the door for snapshots', () => {
  test('takes an order with its name, and gives back what came of it', async () => {
    const taken: (readonly string[])[] = [];
    using _ = await served(async (...order) => {
      taken.push(order);
      return order[1] === 'there' ? done : deny('unavailable', 'not-found', order[1]);
    });
    expect(await orderSnapshot(run, 'save', 'there', options)).toEqual({ ok: true });
    expect(await orderSnapshot(run, 'restore', 'elsewhere', options)).toEqual(deny('unavailable', 'not-found', 'elsewhere'));
    expect(taken).toEqual([
      ['save', 'there'],
      ['restore', 'elsewhere'],
    ]);
  });

  test('refuses what is no order, and goes on', async () => {
    using _ = await served(async () => done);
    for (const bytes of ['', '{', 'null', '["save"]', '["erase","a"]', '["save",1]', '{"0":"save"}'])
      expect(await said(bytes), bytes).toMatch(/"(?:malformed|link-down)"/);
    expect(await said(JSON.stringify(['save', 'x'.repeat(maxCharacters)]))).not.toContain('"ok":true');
    expect(await orderSnapshot(run, 'save', 'a', options)).toEqual({ ok: true });
  });

  test('tells of what throws, and goes on', async () => {
    using _ = await served(async (_, name) => {
      if (name === 'bad') throw new Error('EADDRINUSE');
      return done;
    });
    expect(await orderSnapshot(run, 'restore', 'bad', options)).toEqual(deny('unavailable', 'aborted', 'EADDRINUSE'));
    expect(await orderSnapshot(run, 'restore', 'good', options)).toEqual({ ok: true });
  });

  test('is shut where nobody serves, and a silent one is waited for no longer than said', async () => {
    expect(await orderSnapshot(run, 'save', 'a', options)).toMatchObject({ fault: { reason: 'link-down' } });
    using _ = await served(() => new Promise(() => undefined));
    expect(await orderSnapshot(run, 'save', 'a', { ...options, withinMs: 50 })).toMatchObject({
      fault: { reason: 'time-limit' },
    });
  });
});
