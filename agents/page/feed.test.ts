import { describe, expect, test } from 'vitest';
import type { FeedMethods } from '#agents/api/methods';
import { deny, type Failure, ok, type Result } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import { memoryLog } from '#hal/memory/log';
import type { Client } from '#hal/remote/methods';
import type { Posture } from '#protos/gen/types';
import { newBoard } from './board.ts';
import { feedOf, firstDelayMs, maxDelayMs, renewAfterMs } from './feed.ts';
import { samples } from './testing.ts';

const isDown = deny('unavailable', 'program-down');
const status = {
  lifecycle: 'active',
  level: 'strong',
  headline: 'as-expected',
  nextStep: 'nothing',
  auditSize: 0,
  auditState: 'intact',
} as const;

/** A mind that is there or not, and counts what it is asked. */
const fakeMind = (clock: ReturnType<typeof virtualClock>) => {
  const mind = { failure: isDown as Failure | undefined, hangs: false, posture: samples.good as Posture, reads: [] as number[] };
  const items: ((item: Result<Posture>) => void)[] = [];
  const measure = () => {
    mind.posture = { ...mind.posture, measuredMs: clock.nowMs() };
    return mind.posture;
  };
  const client = {
    call: async (method: string, _: unknown, { signal }: { signal?: AbortSignal } = {}) => {
      if (method === 'posture.read') mind.reads.push(clock.bootMs());
      if (mind.hangs)
        return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(deny('unavailable', 'aborted'))));
      return mind.failure ?? ok(method === 'device.status' ? status : measure());
    },
    subscribe: async function* (_method: string, _request: unknown, signal: AbortSignal): AsyncGenerator<Result<Posture>> {
      if (mind.failure !== undefined) return yield mind.failure;
      yield ok(mind.posture);
      while (!signal.aborted) {
        const item = await new Promise<Result<Posture>>((resolve) => {
          items.push(resolve);
          signal.addEventListener('abort', () => resolve(isDown));
        });
        yield item;
        if (!item.ok) return;
      }
    },
  } as unknown as Client<FeedMethods>;
  return Object.assign(mind, { client, send: (item: Result<Posture>) => items.shift()?.(item) });
};

const start = () => {
  const clock = virtualClock();
  const log = memoryLog();
  const board = newBoard(clock);
  const mind = fakeMind(clock);
  const feed = feedOf({ client: mind.client, board, clock, log });
  const ending = new AbortController();
  const ended = feed.follow(ending.signal);
  const end = () => {
    ending.abort();
    return ended;
  };
  return { clock, log, board, mind, feed, end };
};

describe('the feed', () => {
  test('asks for a measurement of now before it follows, so that no age is unknown', async () => {
    const { clock, board, mind, end } = start();
    mind.failure = undefined;
    await clock.advance(firstDelayMs);
    expect(mind.reads).toEqual([0, firstDelayMs]);
    expect(board.view().code).toBe('as-expected');
    await end();
  });

  test('shows what comes, and says honestly that it is down when nothing does', async () => {
    const { clock, board, mind, log, end } = start();
    mind.failure = undefined;
    await clock.advance(firstDelayMs);
    mind.send(ok({ ...samples.reduced, measuredMs: 7 }));
    await clock.advance(0);
    expect(board.view().code).toBe('reduced');
    mind.failure = isDown;
    mind.send(isDown);
    await clock.advance(0);
    expect(board.view()).toMatchObject({ code: 'program-down', level: 'none' });
    expect(log.entries.map(({ event }) => event)).toEqual(['feed.lost', 'feed.found', 'feed.lost']);
    await end();
  });

  test('tries again with a growing delay that has a limit, and from the first delay after it was found', async () => {
    const { clock, board, mind, log, end } = start();
    await clock.advance(60_000);
    const gaps = mind.reads.slice(1).map((at, index) => at - (mind.reads[index] ?? 0));
    expect(gaps.slice(0, 7)).toEqual([100, 200, 400, 800, 1_600, 3_200, maxDelayMs]);
    expect(Math.max(...gaps)).toBe(maxDelayMs);
    expect(log.entries).toHaveLength(1);
    mind.failure = undefined;
    await clock.advance(maxDelayMs);
    expect(board.view().code).toBe('as-expected');
    mind.reads.length = 0;
    mind.failure = isDown;
    mind.send(isDown);
    const lostMs = clock.bootMs();
    await clock.advance(1_000);
    expect(mind.reads[0]).toBe(lostMs + firstDelayMs);
    await end();
  });

  test('tells a device that was not provisioned from one that is down', async () => {
    const { clock, board, mind, end } = start();
    mind.failure = deny('unavailable', 'not-provisioned');
    await clock.advance(firstDelayMs);
    expect(board.view().code).toBe('not-provisioned');
    await end();
  });

  test('asks for a new measurement when somebody looks and the last one gets old, once for all who look', async () => {
    const { clock, board, mind, feed, end } = start();
    mind.failure = undefined;
    await clock.advance(firstDelayMs);
    mind.reads.length = 0;
    await clock.advance(renewAfterMs - 1);
    await feed.renew();
    expect(mind.reads).toEqual([]);
    await clock.advance(1);
    await Promise.all([feed.renew(), feed.renew(), clock.advance(1)]);
    expect(mind.reads).toHaveLength(1);
    expect(board.ageMs()).toBeLessThanOrEqual(1);
    await end();
  });

  test('does not wait for a mind that hangs: what it last said grows old on the screen', async () => {
    const { clock, board, mind, feed, end } = start();
    mind.failure = undefined;
    await clock.advance(firstDelayMs);
    mind.hangs = true;
    await clock.advance(61_000);
    const renewed = feed.renew();
    await clock.advance(2_000);
    await renewed;
    expect(board.view()).toMatchObject({ code: 'at-risk', level: 'none' });
    await end();
  });
});
