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

const mind = (lifecycle: Lifecycle, isVerifierThere = true) => {
  const clock = virtualClock();
  const state = unwrap(openState(memoryStore()));
  state.update({ lifecycle });
  const time = timeKeeper(clock, state, memoryLog());
  const asked: string[] = [];
  const expiry = expiryTime(
    { time, state },
    {
      attest: async (party) => {
        asked.push(party);
        if (isVerifierThere) time.accept({ signedMs: builtMs + 1, atBootMs: clock.bootMs() });
        return deny('unavailable', 'link-down');
      },
    },
  );
  return { expiry, asked };
};

describe('the time that expiry is held against', () => {
  test('is asked for by a mind that has just started, once (SR-16)', async () => {
    const { expiry, asked } = mind('active');
    expect(expiry.present()).toEqual({ nowMs: undefined, floorMs: builtMs });
    expect(await expiry.asked()).toEqual({ nowMs: builtMs + 1, floorMs: builtMs + 1 });
    expect(await expiry.asked()).toEqual({ nowMs: builtMs + 1, floorMs: builtMs + 1 });
    expect(asked).toEqual([ownParty]);
  });

  test('stays unknown where nobody signs one', async () => {
    expect(await mind('active', false).expiry.asked()).toEqual({ nowMs: undefined, floorMs: builtMs });
  });

  test('is not asked for by a device that is not in use', async () => {
    const { expiry, asked } = mind('suspended');
    expect((await expiry.asked()).nowMs).toBeUndefined();
    expect(asked).toEqual([]);
  });
});
