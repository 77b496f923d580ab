import { beforeEach, describe, expect, test } from 'vitest';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { type MemoryLog, memoryLog } from '#hal/memory/log';
import { type Agent, defineAgent, superviseAgents } from './agent.ts';

interface Parts {
  readonly one: string;
  readonly two: string;
  readonly secret: string;
}
const parts: Parts = { one: 'first', two: 'second', secret: 'not for everybody' };

describe('an agent', () => {
  test('sees only the parts that it lists', async () => {
    let given: object = {};
    const agent: Agent<Parts> = defineAgent({
      name: 'modest',
      needs: ['one', 'two'],
      async run(seen) {
        given = seen;
      },
    });
    await agent.run(parts, new AbortController().signal);
    expect(given).toEqual({ one: 'first', two: 'second' });
    expect('secret' in given).toBe(false);
  });
});

describe('the supervisor of agents', () => {
  let clock: VirtualClock;
  let log: MemoryLog;
  let ending: AbortController;
  beforeEach(() => {
    clock = virtualClock();
    log = memoryLog();
    ending = new AbortController();
  });

  const supervise = (...agents: readonly Agent<Parts>[]) => superviseAgents(agents, parts, { clock, log }, ending.signal);
  const steady: Agent<Parts> = {
    name: 'steady',
    run: (_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
  };
  /** When it was started, in milliseconds. */
  const counted = (end: () => Promise<void>) => {
    const startedMs: number[] = [];
    const agent: Agent<Parts> = {
      name: 'restless',
      async run() {
        startedMs.push(clock.bootMs());
        await end();
      },
    };
    return { agent, startedMs };
  };

  test.each<[string, () => Promise<void>, string]>([
    ['throws', () => Promise.reject(new Error('broken')), 'agent.failed'],
    ['returns', () => Promise.resolve(), 'agent.returned'],
  ])('starts an agent again that %s, each time after twice the delay, up to half a minute', async (_, end, event) => {
    const { agent, startedMs } = counted(end);
    supervise(agent);
    await clock.advance(120_000);
    const delays = startedMs.slice(1).map((atMs, index) => atMs - (startedMs[index] ?? 0));
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
    expect(new Set(log.entries.map((entry) => entry.event))).toEqual(new Set([event]));
    ending.abort();
  });

  test('waits no longer than at first for one that had run for long, whatever came before', async () => {
    let runMs = 0;
    const { agent, startedMs } = counted(async () => {
      await clock.sleep(runMs, ending.signal);
      throw new Error('broken');
    });
    supervise(agent);
    await clock.advance(100 + 200 + 400 + 800 + 1_600);
    expect(startedMs.length).toBe(6);
    runMs = 60_001;
    await clock.advance(3_200 + 60_001);
    const [before, after] = [startedMs.at(-1) ?? 0, clock.bootMs()];
    expect(after - before).toBe(60_001);
    await clock.advance(99);
    expect(startedMs.at(-1)).toBe(before);
    await clock.advance(1);
    expect(startedMs.at(-1)).toBe(after + 100);
    ending.abort();
  });

  test('starts an agent again that throws before it could do anything', async () => {
    let starts = 0;
    const agent: Agent<Parts> = {
      name: 'hasty',
      run: () => {
        starts += 1;
        throw new Error('at once');
      },
    };
    supervise(agent);
    await clock.advance(100);
    expect(starts).toBe(2);
    ending.abort();
  });

  test('keeps the others running while one falls', async () => {
    const { agent } = counted(() => Promise.reject(new Error('broken')));
    const supervision = supervise(steady, agent);
    await clock.advance(150);
    expect(supervision.health()).toEqual([
      { name: 'steady', isRunning: true, restarts: 0 },
      { name: 'restless', isRunning: false, restarts: 2 },
    ]);
    ending.abort();
    await supervision.ended;
  });

  test('shows an agent that was started again as running', async () => {
    let runs = 0;
    const agent: Agent<Parts> = {
      name: 'recovering',
      run: (given, signal) => {
        runs += 1;
        return runs === 1 ? Promise.reject(new Error('once')) : steady.run(given, signal);
      },
    };
    const supervision = supervise(agent);
    await clock.advance(0);
    expect(supervision.health()).toEqual([{ name: 'recovering', isRunning: false, restarts: 1 }]);
    await clock.advance(100);
    expect(supervision.health()).toEqual([{ name: 'recovering', isRunning: true, restarts: 1 }]);
    ending.abort();
    await supervision.ended;
  });

  test('ends when every agent has ended after the signal, and starts none again', async () => {
    const { agent, startedMs } = counted(() => Promise.resolve());
    const supervision = supervise(steady, agent);
    await clock.advance(10);
    ending.abort();
    await supervision.ended;
    await clock.advance(60_000);
    expect(startedMs).toEqual([0]);
    expect(supervision.health().every(({ isRunning }) => !isRunning)).toBe(true);
  });

  test('gives out its health as it is now, not as a thing that changes', async () => {
    const supervision = supervise(steady);
    const seen = supervision.health();
    ending.abort();
    await supervision.ended;
    expect(seen).toEqual([{ name: 'steady', isRunning: true, restarts: 0 }]);
  });
});
