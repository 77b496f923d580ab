import { describe, expect, test } from 'vitest';
import type { Lifecycle } from '#agents/management/lifecycle';
import { openState } from '#agents/management/state';
import { builtMs } from '#agents/management/time';
import { timeKeeper } from '#agents/mind/time-keeper';
import { ownParty } from '#agents/mind/trust';
import { deny, unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { expiryTime } from './expiry-time.ts';

const mind = (lifecycle: Lifecycle, answers: readonly ('there' | 'away' | 'refuses')[] = ['there']) => {
  const clock = virtualClock();
  const state = unwrap(openState(memoryStore()));
  state.update({ lifecycle });
  const time = timeKeeper(clock, state, memoryLog());
  const asked: string[] = [];
  const expiry = expiryTime(
    { time, state, clock, log: memoryLog() },
    {
      attest: async (party) => {
        const answer = answers[Math.min(asked.length, answers.length - 1)];
        asked.push(party);
        if (answer === 'there') time.accept({ signedMs: builtMs + 1, atBootMs: clock.bootMs() });
        return answer === 'refuses' ? deny('attestation', 'log-replay') : deny('unavailable', 'link-down');
      },
    },
  );
  return { expiry, asked, clock };
};

describe('the time that expiry is held against', () => {
  test('is asked for by a mind that has just started, once (SR-16)', async () => {
    const { expiry, asked } = mind('active');
    expect(expiry.present()).toEqual({ nowMs: undefined, floorMs: builtMs });
    expect(await expiry.asked()).toEqual({ nowMs: builtMs + 1, floorMs: builtMs + 1 });
    expect(await expiry.asked()).toEqual({ nowMs: builtMs + 1, floorMs: builtMs + 1 });
    expect(asked).toEqual([ownParty]);
  });

  test('is asked for again where nobody could be asked, a few times', async () => {
    const late = mind('active', ['away', 'away', 'there']);
    const found = late.expiry.asked();
    await late.clock.advance(5_000);
    expect((await found).nowMs).toBeDefined();
    expect(late.asked).toHaveLength(3);
    const nobody = mind('active', ['away']);
    const missed = nobody.expiry.asked();
    await nobody.clock.advance(60_000);
    expect(await missed).toEqual({ nowMs: undefined, floorMs: builtMs });
    expect(nobody.asked).toHaveLength(4);
  });

  test('is not asked for again of a verifier that refuses', async () => {
    const refused = mind('active', ['refuses']);
    expect((await refused.expiry.asked()).nowMs).toBeUndefined();
    expect(refused.asked).toHaveLength(1);
  });

  test('is not asked for by a device that is not in use', async () => {
    const { expiry, asked } = mind('suspended');
    expect((await expiry.asked()).nowMs).toBeUndefined();
    expect(asked).toEqual([]);
  });
});
