/** Both ends of an exchange over real TLS: against each other, and each against a far end that misbehaves. */
import { once } from 'node:events';
import { createServer, request, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeMessage } from '#hal/core/message';
import { codeOf, deny, ok, type Result } from '#hal/core/result';
import { dispatcher } from '#hal/remote/dispatcher';
import { exchangeClient } from '#hal/remote/exchange-client';
import type { Handlers, Methods } from '#hal/remote/methods';
import { certifyServer, newAuthority, type TestAuthority } from './certificates.fixture.ts';
import { type HttpsDoor, serveHttps } from './https-door.ts';
import { httpsExchange, maxAnswerBytes } from './https-exchange.ts';

const methods = {
  'echo.handle': { request: 'Handle', reply: 'Handle' },
  'echo.refuse': { request: 'Nothing', reply: 'Nothing' },
  'echo.never': { request: 'Nothing', reply: 'Nothing' },
} as const satisfies Methods;

const calls: string[] = [];
let abandoned: (() => void) | undefined;
const handlers: Handlers<typeof methods> = {
  'echo.handle': async (request) => {
    calls.push('handle');
    return ok(request);
  },
  'echo.refuse': async () => deny('attestation', 'nonce-expired', 'a detail that stays there'),
  'echo.never': (_, signal) =>
    new Promise((resolve) => {
      calls.push('never');
      signal.addEventListener('abort', () => {
        abandoned?.();
        resolve(deny('unavailable', 'aborted'));
      });
    }),
};

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const handle = { handle: new Uint8Array(16).fill(9) };
const never = () => new AbortController().signal;
const body = Uint8Array.of(1, 2, 3);
const now = { nowMs: Date.now() };

describe('an exchange over HTTPS', () => {
  let authority: TestAuthority;
  let certificate: Awaited<ReturnType<typeof certifyServer>>;
  let door: HttpsDoor;
  beforeAll(async () => {
    authority = await newAuthority('the authority', now);
    certificate = await certifyServer(authority, { ip: '127.0.0.1' }, now);
    door = await serveHttps({ dispatcher: dispatcher(methods, handlers), ...certificate, host: '127.0.0.1', port: 0 });
  });
  afterAll(() => door.close());
  const exchangeWith = (port: number, { host = '127.0.0.1', pem = authority.pem, timeoutMs = 5_000 } = {}) =>
    httpsExchange({ far: { url: `https://${host}:${port}/v1`, authority: pem } }, { timeoutMs });

  describe('with our own door', () => {
    test('carries a call and its answer, and a refusal as its code alone (SR-10)', async () => {
      const client = exchangeClient(methods, exchangeWith(door.port), 'far');
      const answered = await client.call('echo.handle', handle);
      expect(answered.ok && Buffer.from(answered.value.handle).toString('hex')).toBe('09'.repeat(16));
      expect(await client.call('echo.refuse', {})).toEqual({
        ok: false,
        fault: { category: 'attestation', reason: 'nonce-expired' },
      });
    });

    test.each<[string, (certified: TestAuthority) => Promise<{ readonly pem?: string; readonly host?: string }>]>([
      ['another authority, of the same name', async () => ({ pem: (await newAuthority('the authority', now)).pem })],
      ['another server name', async () => ({ host: 'localhost' })],
    ])('refuses %s, before a byte of the call is sent', async (_, change) => {
      const before = calls.length;
      const client = exchangeClient(methods, exchangeWith(door.port, await change(authority)), 'far');
      expect(code(await client.call('echo.handle', handle))).toBe('unavailable/peer-unreachable');
      expect(calls.length).toBe(before);
    });

    const [past, future] = [
      { ...now, notBeforeMs: now.nowMs - 2_000, notAfterMs: now.nowMs - 1_000 },
      { ...now, notBeforeMs: now.nowMs + 3_600_000 },
    ];
    test.each([
      ['has expired', { ip: '127.0.0.1' }, past, 'unavailable/certificate-time'],
      ['is not valid yet', { ip: '127.0.0.1' }, future, 'unavailable/certificate-time'],
      ['serves another address', { ip: '127.0.0.2' }, now, 'unavailable/peer-unreachable'],
      ['serves a name like this address', { dns: '127.0.0.1.example' }, now, 'unavailable/peer-unreachable'],
    ])('refuses a server whose certificate %s', async (_, host, validity, refusal) => {
      const other = await certifyServer(authority, host, validity);
      const wrong = await serveHttps({ dispatcher: dispatcher(methods, handlers), ...other, host: '127.0.0.1', port: 0 });
      expect(code(await exchangeWith(wrong.port).post('far', body, never()))).toBe(refusal);
      await wrong.close();
    });

    test('tells the handler when the caller gives up', async () => {
      const gone = new Promise<void>((resolve) => {
        abandoned = resolve;
      });
      const giveUp = new AbortController();
      const before = calls.length;
      const client = exchangeClient(methods, exchangeWith(door.port), 'far');
      const waiting = client.call('echo.never', {}, { signal: giveUp.signal });
      await expect.poll(() => calls.length).toBe(before + 1);
      giveUp.abort();
      expect(code(await waiting)).toBe('unavailable/aborted');
      await gone;
    });

    test('the door answers a body that is no call with a refusal, takes no other method and no TLS before 1.3', async () => {
      const answer = await exchangeWith(door.port).post('far', body, never());
      expect(answer.ok && Buffer.from(answer.value).includes('protocol/malformed')).toBe(true);
      const asked = request({ host: '127.0.0.1', port: door.port, method: 'GET', ca: authority.pem, agent: false }).end();
      const status = await new Promise((resolve) => {
        asked.on('response', ({ statusCode }) => resolve(statusCode));
        asked.on('error', () => resolve('closed'));
      });
      expect([405, 'closed']).toContain(status);
      const old = connectTls({ host: '127.0.0.1', port: door.port, ca: authority.pem, maxVersion: 'TLSv1.2' });
      const [failure] = (await once(old, 'error')) as [Error];
      expect(failure.message).toMatch(/version|protocol/i);
    });

    test('the door takes no body above its limit, and serves the next', async () => {
      const before = calls.length;
      const large = new Uint8Array(3 * 1024 * 1024 + 1);
      expect(code(await exchangeWith(door.port).post('far', large, never()))).toMatch(
        /^unavailable\/(peer-refused-us|peer-unreachable)$/,
      );
      expect(calls.length).toBe(before);
      const client = exchangeClient(methods, exchangeWith(door.port), 'far');
      expect(code(await client.call('echo.handle', handle))).toBe('ok');
    });
  });

  describe('with a far end that misbehaves', () => {
    const withServer = async (
      answer: Parameters<typeof createServer>[1],
      run: (port: number) => Promise<void>,
      options: ServerOptions = {},
    ) => {
      const server: Server = createServer({ cert: certificate.certificate, key: certificate.key, ...options }, answer);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        await run((server.address() as AddressInfo).port);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    };
    const postTo = async (port: number, timeoutMs?: number): Promise<string> =>
      code(await exchangeWith(port, timeoutMs === undefined ? {} : { timeoutMs }).post('far', body, never()));

    test('a status other than 200 is a refusal', () =>
      withServer(
        (_, response) => response.writeHead(500).end('what it says is not read'),
        async (port) => expect(await postTo(port)).toBe('unavailable/peer-refused-us'),
      ));

    test('row 33: an answer is taken up to its limit and not a byte above, however long it goes on', async () => {
      for (const [bytes, expected] of [
        [maxAnswerBytes, 'ok'],
        [maxAnswerBytes + 1, 'protocol/too-large'],
      ] as const)
        await withServer(
          (_, response) => response.writeHead(200).end(new Uint8Array(bytes)),
          async (port) => expect(await postTo(port)).toBe(expected),
        );
      await withServer(
        (_, response) => {
          const more = () => {
            while (!response.destroyed && response.write(new Uint8Array(65536)));
          };
          response.on('drain', more).writeHead(200);
          more();
        },
        async (port) => expect(await postTo(port)).toBe('protocol/too-large'),
      );
    });

    test('the largest answer is one that a mouth can hand on, and a byte more is not', () => {
      const handedOn = (bytes: number) => {
        const value = encodeMessage('ExchangeReply', { body: new Uint8Array(bytes) });
        return encodeMessage('Frame', { reply: { id: 1, value, more: false } });
      };
      expect(handedOn(maxAnswerBytes).length).toBeGreaterThan(maxAnswerBytes);
      expect(() => handedOn(maxAnswerBytes + 1)).toThrow('value');
    });

    test('row 33: one that never answers, and one whose answer never ends, both meet the time limit', async () => {
      await withServer(
        () => undefined,
        async (port) => expect(await postTo(port, 200)).toBe('resource/time-limit'),
      );
      await withServer(
        (_, response) => {
          response.writeHead(200);
          const timer = setInterval(() => response.write('.'), 20);
          response.on('close', () => clearInterval(timer));
        },
        async (port) => expect(await postTo(port, 300)).toBe('resource/time-limit'),
      );
    });

    test('giving up in the middle of an answer is said as such', () =>
      withServer(
        (_, response) => void response.writeHead(200).write('the beginning'),
        async (port) => {
          const giveUp = new AbortController();
          const waiting = exchangeWith(port).post('far', body, giveUp.signal);
          setTimeout(() => giveUp.abort(), 100);
          expect(code(await waiting)).toBe('unavailable/aborted');
          expect(code(await exchangeWith(port).post('far', body, giveUp.signal))).toBe('unavailable/aborted');
        },
      ));

    test('a connection that breaks, in the middle or before, is unreachable', async () => {
      await withServer(
        (_, response) => response.writeHead(200, { 'content-length': 100 }).write('the beginning', () => response.destroy()),
        async (port) => expect(await postTo(port)).toBe('unavailable/peer-unreachable'),
      );
      await withServer(
        (request) => request.socket.destroy(),
        async (port) => expect(await postTo(port)).toBe('unavailable/peer-unreachable'),
      );
    });

    test('one that speaks no TLS 1.3 is refused', () =>
      withServer(
        (_, response) => response.writeHead(200).end(),
        async (port) => expect(await postTo(port)).toBe('unavailable/peer-unreachable'),
        { maxVersion: 'TLSv1.2' },
      ));
  });

  test('a far end that is in no configuration, or where nobody listens, is unreachable', async () => {
    const exchange = exchangeWith(1);
    for (const name of ['far', 'another', '__proto__', 'toString'])
      expect(code(await exchange.post(name, body, never()))).toBe('unavailable/peer-unreachable');
  });
});
