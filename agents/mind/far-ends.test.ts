import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { ok, unwrap } from '#hal/core/result';
import { memoryLog } from '#hal/memory/log';
import { dispatcher } from '#hal/remote/dispatcher';
import { linkMethods } from '#hal/remote/link-methods';
import type { Handlers } from '#hal/remote/methods';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';
import { type SocketServer, serveSocket } from '#hal/remote/socket-server';
import { farEnds } from './far-ends.ts';

const never = new AbortController().signal;
const { 'link.post': post, 'link.range': range } = linkMethods;
const methods = { 'link.post': post, 'link.range': range };
const body = utf8('a question');
const isDown = { fault: { category: 'unavailable', reason: 'program-down' } };

/** A mouth that says what it was asked, or does not come to its answer. */
describe('far ends by way of a mouth that is away', () => {
  let directory: string;
  let path: string;
  let server: SocketServer | undefined;
  let link: SocketClient<typeof linkMethods>;
  let asked: string[];
  let waitedMs: number;
  let whileWaiting: () => Promise<void>;
  const clock = {
    bootMs: () => waitedMs,
    sleep: async (durationMs: number) => {
      waitedMs += durationMs;
      await whileWaiting();
    },
  };
  const start = async (dies = false): Promise<void> => {
    const answer = async (word: string) => {
      asked.push(word);
      if (dies) await stop();
      return utf8(`to ${word}`);
    };
    const handlers: Handlers<typeof methods> = {
      'link.post': async ({ endpoint }) => ok({ body: await answer(endpoint) }),
      'link.range': async ({ path: of }) => ok({ part: await answer(of) }),
    };
    server = unwrap(await serveSocket(dispatcher(methods, handlers), { path, log: memoryLog() }));
  };
  const stop = async (): Promise<void> => {
    const stopping = server;
    server = undefined;
    await stopping?.close();
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-far-'));
    path = join(directory, 'link.sock');
    link = socketClient(linkMethods, path);
    asked = [];
    waitedMs = 0;
    whileWaiting = async () => undefined;
  });
  afterEach(async () => {
    link.close();
    await stop();
    rmSync(directory, { recursive: true });
  });
  const both = () => {
    const far = farEnds(link, clock);
    return {
      post: (signal = never) => far.exchange.post('verifier', body, signal),
      read: (signal = never) => far.read('timestamp', 0, 100, signal),
    };
  };

  test.each(['post', 'read'] as const)('%s: a mouth that starts after the mind is waited for, and asked once', async (how) => {
    whileWaiting = async () => {
      if (waitedMs >= 1_000 && server === undefined) await start();
    };
    const word = how === 'post' ? 'verifier' : 'timestamp';
    expect(unwrap(await both()[how]())).toEqual(utf8(`to ${word}`));
    expect(asked).toEqual([word]);
    expect(waitedMs).toBe(1_000);
  });

  test.each(['post', 'read'] as const)('%s: one that is there is asked at once, also when it is another one', async (how) => {
    for (let times = 0; times < 2; times += 1) {
      await start();
      expect((await both()[how]()).ok).toBe(true);
      await stop();
      while ((await link.connect()).ok) await setImmediate();
    }
    expect(asked).toHaveLength(2);
    expect(waitedMs).toBe(0);
  });

  test.each(['post', 'read'] as const)('%s: one that does not come is given up after five seconds', async (how) => {
    expect(await both()[how]()).toMatchObject(isDown);
    expect(waitedMs).toBe(5_000);
  });

  test.each(['post', 'read'] as const)('%s: whoever no longer wants to know does not wait', async (how) => {
    const asking = new AbortController();
    whileWaiting = async () => asking.abort();
    expect((await both()[how](asking.signal)).ok).toBe(false);
    expect(waitedMs).toBe(250);
  });

  test('what was posted to a mouth that died of it is not posted again; a part of a file is asked for again', async () => {
    whileWaiting = async () => {
      if (server === undefined) await start();
    };
    await start(true);
    expect(await both().post()).toMatchObject(isDown);
    expect([asked, waitedMs]).toEqual([['verifier'], 0]);
    await start(true);
    expect(unwrap(await both().read())).toEqual(utf8('to timestamp'));
    expect([asked, waitedMs]).toEqual([['verifier', 'timestamp', 'timestamp'], 250]);
  });
});
