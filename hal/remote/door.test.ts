import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { u32be } from '#hal/core/bytes';
import { deny, ok, unwrap } from '#hal/core/result';
import { memoryLog } from '#hal/memory/log';
import { dispatcher } from './dispatcher.ts';
import { exchangeClient } from './exchange-client.ts';
import { answerExchange } from './exchange-server.ts';
import { frame } from './frames.ts';
import { lateDoor } from './late-door.ts';
import type { Handlers, Methods } from './methods.ts';
import { socketClient } from './socket-client.ts';
import { type SocketServer, serveSocket } from './socket-server.ts';

const methods = {
  'echo.handle': { request: 'Handle', reply: 'Handle' },
  'echo.refuse': { request: 'Nothing', reply: 'Nothing' },
  'echo.never': { request: 'Nothing', reply: 'Nothing' },
  'echo.throw': { request: 'Nothing', reply: 'Nothing' },
  'echo.throwLate': { request: 'Nothing', reply: 'AttestRequest', isStream: true },
  'echo.unsayable': { request: 'Nothing', reply: 'AttestRequest' },
  'echo.count': { request: 'Nothing', reply: 'AttestRequest', isStream: true },
  'echo.many': { request: 'Nothing', reply: 'AttestRequest', isStream: true },
  'power.reboot': { request: 'RebootRequest', reply: 'Nothing', needsPermit: true },
} as const satisfies Methods;

let aborted = 0;
const handlers: Handlers<typeof methods> = {
  'echo.handle': async (request) => ok(request),
  'echo.refuse': async () => deny('posture', 'stale', 'a detail that stays here'),
  'echo.never': (_, signal) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => {
        aborted += 1;
        resolve(deny('unavailable', 'aborted'));
      }),
    ),
  'echo.throw': () => {
    throw new Error('on purpose');
  },
  'echo.throwLate': async function* () {
    yield ok({ relyingParty: 'one' });
    throw new TypeError('on purpose');
  },
  'echo.unsayable': async () => ok({ relyingParty: 'no such thing '.repeat(1000) }),
  'echo.count': async function* (_, signal) {
    for (let count = 0; count < 3 && !signal.aborted; count += 1) yield ok({ relyingParty: `count-${count}` });
  },
  'echo.many': async function* () {
    for (let count = 0; count < 1_000; count += 1) yield ok({ relyingParty: `count-${count}` });
  },
  'power.reboot': async () => ok({}),
};

const handle = { handle: new Uint8Array(16).fill(9) };

describe('a door on a unix socket', () => {
  let directory: string;
  let path: string;
  let server: SocketServer;
  const log = memoryLog();
  const start = async () => {
    server = unwrap(await serveSocket(dispatcher(methods, handlers), { path, log }));
  };
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-door-'));
    path = join(directory, 'door.sock');
    await start();
  });
  afterEach(async () => {
    await server.close();
    rmSync(directory, { recursive: true });
  });

  test('answers a call with the message of its table', async () => {
    const client = socketClient(methods, path);
    const answered = await client.call('echo.handle', handle);
    expect(answered.ok && Buffer.from(answered.value.handle).toString('hex')).toBe('09'.repeat(16));
    client.close();
  });

  test('sends a refusal as its code and nothing more (SR-10)', async () => {
    const client = socketClient(methods, path);
    expect(await client.call('echo.refuse', {})).toEqual({ ok: false, fault: { category: 'posture', reason: 'stale' } });
    client.close();
  });

  test('refuses a method that needs a permit where nobody can check one (SR-01)', async () => {
    const client = socketClient(methods, path);
    expect(await client.call('power.reboot', { cause: 'test' })).toMatchObject({
      fault: { category: 'authorization', reason: 'permit-missing' },
    });
    client.close();
  });

  test('refuses to ask what has no words, and goes on', async () => {
    const client = socketClient(methods, path);
    const unsayable = { ok: false, fault: { category: 'protocol', reason: 'field-invalid' } };
    expect(await client.call('echo.handle', { handle: new Uint8Array(17) })).toMatchObject(unsayable);
    const post = async () => deny('unavailable', 'peer-unreachable');
    const far = exchangeClient(methods, { post }, 'verifier');
    expect(await far.call('echo.handle', { handle: new Uint8Array(17) })).toMatchObject(unsayable);
    expect(await client.call('echo.handle', handle)).toEqual({ ok: true, value: handle });
    client.close();
  });

  test('answers for a handler that throws, says so in the log, and goes on (SR-12)', async () => {
    const client = socketClient(methods, path);
    const failed = { ok: false, fault: { category: 'unavailable', reason: 'program-failed' } };
    expect(await client.call('echo.throw', {})).toEqual(failed);
    expect(await client.call('echo.unsayable', {})).toEqual(failed);
    const seen: unknown[] = [];
    for await (const item of client.subscribe('echo.throwLate', {}, new AbortController().signal)) seen.push(item);
    expect(seen).toEqual([{ ok: true, value: { relyingParty: 'one' } }, failed]);
    expect(await client.call('echo.handle', handle)).toEqual({ ok: true, value: handle });
    const told = log.entries.filter(({ event }) => event === 'call.failed').map(({ fields }) => fields);
    expect(told).toContainEqual({ method: 'echo.throw', cause: 'on purpose' });
    expect(told.map(({ method }) => method)).toEqual(['echo.throw', 'echo.unsayable', 'echo.throwLate']);
    client.close();
  });

  test('streams answers in order and says when the stream ends', async () => {
    const client = socketClient(methods, path);
    const seen: string[] = [];
    for await (const item of client.subscribe('echo.count', {}, new AbortController().signal))
      seen.push(item.ok ? item.value.relyingParty : item.fault.reason);
    expect(seen).toEqual(['count-0', 'count-1', 'count-2', 'aborted']);
    client.close();
  });

  test('keeps a bounded number of answers for a caller that does not take them, and then ends the stream', async () => {
    const client = socketClient(methods, path);
    const stream = client.subscribe('echo.many', {}, new AbortController().signal)[Symbol.asyncIterator]();
    expect(await stream.next()).toMatchObject({ value: { ok: true, value: { relyingParty: 'count-0' } } });
    // Answers of one connection come in order: behind this one all of the stream has come.
    await client.call('echo.handle', handle);
    const seen: unknown[] = [];
    for (let item = await stream.next(); !item.done; item = await stream.next()) seen.push(item.value);
    expect(seen.length).toBeLessThanOrEqual(257);
    expect(seen.at(-1)).toMatchObject({ fault: { category: 'resource', reason: 'queue-full' } });
    expect((await client.call('echo.handle', handle)).ok).toBe(true);
    client.close();
  });

  test('tells the handler when the caller gives up', async () => {
    const client = socketClient(methods, path);
    const before = aborted;
    const giveUp = new AbortController();
    const call = client.call('echo.never', {}, { signal: giveUp.signal });
    await client.call('echo.handle', handle);
    giveUp.abort();
    expect(await call).toMatchObject({ fault: { category: 'unavailable', reason: 'aborted' } });
    await client.call('echo.handle', handle);
    expect(aborted).toBe(before + 1);
    client.close();
  });

  test('answers every waiting call when the far end is gone, and connects anew when it is back', async () => {
    const client = socketClient(methods, path);
    await client.call('echo.handle', handle);
    const waiting = client.call('echo.never', {});
    await client.call('echo.handle', handle);
    await server.close();
    expect(await waiting).toMatchObject({ fault: { category: 'unavailable', reason: 'program-down' } });
    expect(await client.call('echo.handle', handle)).toMatchObject({ fault: { reason: 'program-down' } });
    await start();
    expect((await client.call('echo.handle', handle)).ok).toBe(true);
    client.close();
  });

  test.each([
    ['a frame that is too large', u32be(0xffffffff)],
    ['a frame that is no message', frame(new Uint8Array([0xff, 0xff]))],
  ])('closes a connection that sends %s, and serves the next', async (_, bytes) => {
    const raw = connect({ path });
    raw.write(bytes);
    await new Promise((closed) => raw.on('close', closed));
    const client = socketClient(methods, path);
    expect((await client.call('echo.handle', handle)).ok).toBe(true);
    client.close();
  });
});

describe('a door behind request and answer', () => {
  const door = dispatcher(methods, handlers);
  const exchange = {
    post: async (_: string, body: Uint8Array, signal: AbortSignal) => ok(await answerExchange(door, body, signal)),
  };

  test('answers and refuses like the socket does', async () => {
    const client = exchangeClient(methods, exchange, 'far');
    const answered = await client.call('echo.handle', handle);
    expect(answered.ok && answered.value.handle.length).toBe(16);
    expect(await client.call('echo.refuse', {})).toEqual({ ok: false, fault: { category: 'posture', reason: 'stale' } });
  });

  test('answers bytes that are no call with a refusal', async () => {
    const answer = await answerExchange(door, new Uint8Array([1, 2, 3]), new AbortController().signal);
    expect(Buffer.from(answer).includes('protocol/malformed')).toBe(true);
  });
});

test('a door that is not ready refuses every method with the reason, then serves', async () => {
  let behind: Handlers<typeof methods> | ReturnType<typeof deny> = deny('unavailable', 'not-provisioned');
  const late = lateDoor(methods, () => behind);
  const signal = new AbortController().signal;
  expect(await late['echo.handle'](handle, signal)).toMatchObject({ fault: { reason: 'not-provisioned' } });
  for await (const item of late['echo.count']({}, signal)) expect(item).toMatchObject({ fault: { reason: 'not-provisioned' } });
  behind = handlers;
  expect((await late['echo.handle'](handle, signal)).ok).toBe(true);
});
