import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import { type MemoryLog, memoryLog } from '#hal/memory/log';
import { seededRandom } from '#hal/memory/random';
import { type Board, newBoard } from './board.ts';
import { maxTargetLength } from './rules.ts';
import { maxConnections, maxReaders, type PageServer, servePage } from './server.ts';
import { samples } from './testing.ts';

let server: PageServer;
let board: Board;
let log: MemoryLog;
let links: string[];
let sockets: Socket[];
const clock = virtualClock();

const options = (port = 0) => ({
  port,
  board,
  clock,
  log,
  random: seededRandom(1),
  renew: async () => undefined,
  onLink: (url: string) => void links.push(url),
});

beforeEach(async () => {
  links = [];
  sockets = [];
  log = memoryLog();
  board = newBoard(clock);
  board.hold(samples.reduced, 'read-posture');
  server = unwrap(await servePage(options()));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const ask = (path: string, { method = 'GET', headers = {}, body = '' } = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: server.port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });

/** The answer to raw bytes, up to the end of the connection. */
const askRaw = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
    sockets.push(socket);
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer)).on('error', reject);
  });

const pathOf = (link = '') => new URL(link).pathname;
const enter = async (): Promise<string> => {
  const { headers } = await ask(pathOf(links.at(-1)));
  return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
};

/** Opens the event stream; resolves with its status once it answered. */
const openStream = (cookie: string): Promise<{ readonly socket: Socket; readonly head: string }> =>
  new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1', () =>
      socket.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nCookie: ${cookie}\r\n\r\n`),
    );
    sockets.push(socket);
    let head = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      head += chunk;
      if (/\r\n\r\n/.test(head)) resolve({ socket, head });
    });
  });

describe('the page server', () => {
  test('exchanges the link once for a cookie and a clean address', async () => {
    const [link = ''] = links;
    expect(link).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${server.port}/open/[A-Za-z0-9_-]{43}$`));
    const first = await ask(pathOf(link));
    expect(first).toMatchObject({ status: 303, headers: { location: '/' } });
    expect(first.headers['set-cookie']?.[0]).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect((await ask(pathOf(link))).status).toBe(403);
    expect(links).toHaveLength(2);
    expect((await ask('/', { headers: { cookie: await enter() } })).status).toBe(200);
  });

  test('does not let a preview use the link up', async () => {
    expect((await ask(pathOf(links[0]), { method: 'HEAD' })).status).toBe(405);
    expect((await ask(pathOf(links[0]))).status).toBe(303);
  });

  test('says nothing about the device without a session', async () => {
    for (const path of ['/', '/posture.json', '/events'])
      for (const headers of [{}, { cookie: `enigm-page-${server.port}=x` }]) {
        const { status, body } = await ask(path, { headers });
        expect(status).toBe(403);
        expect(body).not.toMatch(/Reduced|reduced|taint/);
      }
  });

  test('answers only to its own name and port, against DNS rebinding', async () => {
    const headers = { cookie: await enter() };
    const { port } = server;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`])
      expect((await ask('/', { headers: { ...headers, host } })).status).toBe(200);
    for (const host of [
      '127.0.0.1',
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1:${port + 1}`,
      `127.0.0.1.:${port}`,
      `[::1]:${port}`,
    ])
      expect((await ask('/', { headers: { ...headers, host } })).status, host).toBe(421);
    const two = `Host: 127.0.0.1:${port}\r\nHost: evil.example\r\n`;
    expect(await askRaw(`GET / HTTP/1.1\r\n${two}\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await askRaw('GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await askRaw('GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('refuses requests that another site or another port of this machine made', async () => {
    const headers = { cookie: await enter() };
    for (const site of ['cross-site', 'same-site', 'anything'])
      expect((await ask('/', { headers: { ...headers, 'sec-fetch-site': site } })).status).toBe(403);
    for (const site of ['same-origin', 'none'])
      expect((await ask('/', { headers: { ...headers, 'sec-fetch-site': site } })).status).toBe(200);
  });

  test('takes GET and HEAD, without a body, and nothing else', async () => {
    const headers = { cookie: await enter() };
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])
      expect(await ask('/', { method, headers })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect((await ask('/', { headers: { ...headers, 'content-length': '3' }, body: 'abc' })).status).toBe(413);
    expect((await ask('/', { headers: { ...headers, 'transfer-encoding': 'chunked' }, body: 'abc' })).status).toBe(413);
    expect(await ask('/', { method: 'HEAD', headers })).toMatchObject({ status: 200, body: '' });
    expect(await ask('/events', { method: 'HEAD', headers })).toMatchObject({ status: 200, body: '' });
  });

  test('bounds the address, the header and the number of connections', async () => {
    expect((await ask(`/${'a'.repeat(maxTargetLength)}`)).status).toBe(414);
    expect((await ask('/', { headers: { 'x-filler': 'a'.repeat(9_000) } })).status).toBe(431);
    expect((await ask('/nothing')).status).toBe(404);
    expect((await ask('/constructor')).status).toBe(404);
    const open = await Promise.all(
      Array.from(
        { length: maxConnections + 1 },
        () =>
          new Promise<Socket>((resolve) => {
            const socket = connect(server.port, '127.0.0.1', () => resolve(socket));
            sockets.push(socket);
          }),
      ),
    );
    const refused = open.at(-1);
    await new Promise((resolve) =>
      refused
        ?.on('close', resolve)
        .on('error', () => undefined)
        .resume(),
    );
  });

  test('carries its protections with every answer', async () => {
    const headers = { cookie: await enter() };
    for (const path of ['/', '/posture.json', '/client.js', '/style.css', '/icon.svg', '/nothing', '/open/x']) {
      const answer = await ask(path, { headers });
      expect(answer.headers, path).toMatchObject({
        'cache-control': 'no-store',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
      const policy = answer.headers['content-security-policy'] ?? '';
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"])
        expect(policy).toContain(rule);
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
    }
  });

  test('allows one script and one style sheet, by a nonce that is never the same', async () => {
    const headers = { cookie: await enter() };
    const nonces = await Promise.all(
      [1, 2].map(async () => {
        const { headers: answered, body } = await ask('/', { headers });
        const nonce = /script-src 'nonce-([A-Za-z0-9+/=]{24})'/.exec(String(answered['content-security-policy']))?.[1] ?? '';
        expect(body.match(new RegExp(`nonce="${nonce.replace(/[+/]/g, '\\$&')}"`, 'g'))).toHaveLength(2);
        return nonce;
      }),
    );
    expect(new Set(nonces).size).toBe(2);
  });

  test('gives the state as JSON', async () => {
    const { headers, body } = await ask('/posture.json', { headers: { cookie: await enter() } });
    expect(headers['content-type']).toBe('application/json');
    expect(JSON.parse(body)).toMatchObject({ version: 1, posture: { headline: 'reduced' } });
  });

  test('streams events to so many readers and no more, and to the next when one has left', async () => {
    const cookie = await enter();
    const streams = await Promise.all(Array.from({ length: maxReaders }, () => openStream(cookie)));
    for (const { head } of streams) expect(head).toMatch(/^HTTP\/1\.1 200 [\s\S]*content-type: text\/event-stream/i);
    expect((await openStream(cookie)).head).toMatch(/^HTTP\/1\.1 503 /);
    streams[0]?.socket.destroy();
    await expect.poll(async () => (await openStream(cookie)).head).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('ends the stream of a reader that does not read', async () => {
    const { socket } = await openStream(await enter());
    socket.pause();
    for (let turn = 1; turn < 5_000 && log.entries.length === 0; turn += 1) {
      board.hold({ ...(turn % 2 === 0 ? samples.reduced : samples.good), measuredMs: turn }, 'nothing');
      await clock.advance(0);
    }
    expect(log.entries.map(({ event }) => event)).toEqual(['page.unread']);
  });

  test('ends every stream when it is closed', async () => {
    const { socket } = await openStream(await enter());
    const ended = new Promise((resolve) => socket.on('close', resolve));
    await server.close();
    await ended;
    server = unwrap(await servePage(options()));
  });

  test('refuses to start on a port that is taken', async () => {
    expect(await servePage(options(server.port))).toMatchObject({
      ok: false,
      fault: { category: 'unavailable', reason: 'peer-unreachable' },
    });
  });
});
