import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { affirming, startTestMind, type TestMind } from '#agents/mind/mind.fixture';
import type { MindParts } from '#agents/mind/parts';
import { deny, ok } from '#hal/core/result';
import { attestAgent } from './agent.ts';

describe('the agent that keeps a fresh result', () => {
  let mind: TestMind;
  let askedMs: number[];
  let isDown: boolean;
  let ending: AbortController;
  let ended: Promise<void>;
  beforeEach(async () => {
    mind = await startTestMind();
    askedMs = [];
    isDown = false;
    ending = new AbortController();
  });
  afterEach(async () => {
    ending.abort();
    await ended;
    await mind[Symbol.asyncDispose]();
  });

  const start = (): void => {
    const startedMs = mind.clock.bootMs();
    const attest = async () => {
      askedMs.push(mind.clock.bootMs() - startedMs);
      return isDown ? deny('unavailable', 'peer-unreachable') : ok(affirming);
    };
    const verifier = { attest, enrol: async () => deny('unavailable', 'not-supported') };
    // A log and hands that answer in the same turn, so that virtual time may move in large steps.
    const audit = { record: async () => ok({ index: 0, leaf: new Uint8Array(32) }) };
    const hands = { keysState: async () => ok({ epochs: [], revoked: [] }) };
    ended = attestAgent.run({ ...mind, audit, hands, verifier } as unknown as MindParts, ending.signal);
  };

  test('asks at once, then at half the life of each result', async () => {
    start();
    await mind.clock.advance(15 * 60_000);
    expect(askedMs).toEqual([0, 300_000, 600_000, 900_000]);
  });

  test('asks a verifier that is down again and again, with growing delay up to five minutes', async () => {
    isDown = true;
    start();
    await mind.clock.advance(20 * 60_000);
    const delays = askedMs.slice(1).map((atMs, index) => atMs - (askedMs[index] ?? 0));
    expect(delays).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]);
  });

  test('forgets the delay when the verifier is back', async () => {
    isDown = true;
    start();
    await mind.clock.advance(60_000);
    isDown = false;
    await mind.clock.advance(64_000);
    const before = askedMs.length;
    isDown = true;
    await mind.clock.advance(300_000);
    const [first, second] = askedMs.slice(before);
    expect((second ?? 0) - (first ?? 0)).toBe(2_000);
  });

  test('asks nothing while the device is not active, and begins when it is', async () => {
    mind.state.update({ lifecycle: 'suspended' });
    start();
    await mind.clock.advance(60_000);
    expect(askedMs).toEqual([]);
    mind.state.update({ lifecycle: 'active' });
    await mind.clock.advance(5_000);
    expect(askedMs.length).toBe(1);
  });
});
