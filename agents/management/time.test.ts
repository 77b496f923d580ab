import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { timeKeeper } from '#agents/mind/time-keeper';
import { codeOf, unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { openState } from './state.ts';
import { acceptTime, builtMs, maxAdvanceMs, trustedNowMs } from './time.ts';

const dayMs = 86_400_000;
const yearsMs = 365 * dayMs;
const outcome = (signedMs: number, lastSignedMs?: number): string => {
  const marks = lastSignedMs === undefined ? [] : [{ signedMs: lastSignedMs, atBootMs: 1 }];
  const accepted = acceptTime({ signedMs, atBootMs: 1 }, lastSignedMs, builtMs, marks);
  return accepted.ok ? 'accepted' : codeOf(accepted.fault);
};
const unknown = 'posture/time-unknown';

describe('signed time (SR-16)', () => {
  test('is believed from a day before the software was built until ten years after, and not beyond', () => {
    expect(outcome(builtMs - dayMs)).toBe('accepted');
    expect(outcome(builtMs - dayMs - 1)).toBe(unknown);
    expect(outcome(builtMs + 10 * yearsMs)).toBe('accepted');
    expect(outcome(builtMs + 10 * yearsMs + 1)).toBe(unknown);
    for (const signedMs of [0, -1, Number.MAX_SAFE_INTEGER]) expect(outcome(signedMs)).toBe(unknown);
  });

  test('moves ahead by thirty days at most on the word of one source', () => {
    expect(outcome(builtMs + maxAdvanceMs, builtMs)).toBe('accepted');
    expect(outcome(builtMs + maxAdvanceMs + 1, builtMs)).toBe(unknown);
    expect(maxAdvanceMs).toBe(30 * dayMs);
  });

  test('never goes back', () => {
    expect(outcome(builtMs, builtMs)).toBe('accepted');
    expect(outcome(builtMs - 1, builtMs)).toBe(unknown);
    fc.assert(
      fc.property(fc.nat(2 ** 40), fc.nat(2 ** 40), (signed, last) => {
        if (outcome(builtMs + signed, builtMs + last) === 'accepted') expect(signed).toBeGreaterThanOrEqual(last);
      }),
    );
  });

  test('is carried forward by the boot clock, and is nothing where none was signed', () => {
    expect(trustedNowMs({ signedMs: builtMs, atBootMs: 500 }, 1_500)).toBe(builtMs + 1_000);
    expect(trustedNowMs(undefined, 1_500)).toBeUndefined();
  });
});

describe('the keeper of time', () => {
  const start = (disk = new Map<string, Uint8Array>()) => {
    const clock = virtualClock();
    const state = unwrap(openState(memoryStore(disk)));
    const log = memoryLog();
    return { clock, state, log, disk, keeper: timeKeeper(clock, state, log) };
  };

  test('knows no time before some was signed in this boot, whatever the wall clock and the disk say', () => {
    const first = start();
    first.keeper.accept({ signedMs: builtMs + 5, atBootMs: 0 });
    expect(first.keeper.nowMs()).toBe(builtMs + 5);
    expect(start(first.disk).keeper.nowMs()).toBeUndefined();
  });

  test('tells each time that it believes, and none that it refuses', () => {
    const told: number[] = [];
    const { clock, state, log } = start();
    const keeper = timeKeeper(clock, state, log, (signedMs) => told.push(signedMs));
    for (const signedMs of [builtMs + 5, builtMs + 4, builtMs + 60 * dayMs, builtMs + 6])
      keeper.accept({ signedMs, atBootMs: 0 });
    expect(told).toEqual([builtMs + 5, builtMs + 6]);
  });

  test('is not moved by the wall clock, either way (SR-16)', async () => {
    const { clock, keeper } = start();
    keeper.accept({ signedMs: builtMs, atBootMs: clock.bootMs() });
    clock.jumpWall(5 * yearsMs);
    expect(keeper.nowMs()).toBe(builtMs);
    clock.jumpWall(-10 * yearsMs);
    await clock.advance(1_000);
    expect(keeper.nowMs()).toBe(builtMs + 1_000);
  });

  test('remembers over boots how far time has come', () => {
    const first = start();
    first.keeper.accept({ signedMs: builtMs + dayMs, atBootMs: 0 });
    const second = start(first.disk);
    second.keeper.accept({ signedMs: builtMs, atBootMs: 0 });
    expect(second.keeper.nowMs()).toBeUndefined();
    expect(second.log.entries).toMatchObject([{ level: 'warn', event: 'time.refused', fields: { code: unknown } }]);
    second.keeper.accept({ signedMs: builtMs + dayMs, atBootMs: 0 });
    expect(second.keeper.nowMs()).toBe(builtMs + dayMs);
  });

  test('is not walked ahead by one source in steps that are small enough', async () => {
    const { clock, keeper } = start();
    keeper.accept({ signedMs: builtMs, atBootMs: clock.bootMs() });
    for (let step = 1; step <= 120; step += 1) keeper.accept({ signedMs: builtMs + step * 29 * dayMs, atBootMs: clock.bootMs() });
    expect(keeper.nowMs()).toBe(builtMs + 29 * dayMs);
    await clock.advance(60 * dayMs);
    keeper.accept({ signedMs: builtMs + 61 * dayMs, atBootMs: clock.bootMs() });
    expect(keeper.nowMs()).toBe(builtMs + 61 * dayMs);
    keeper.accept({ signedMs: builtMs + 90 * dayMs, atBootMs: clock.bootMs() });
    expect(keeper.nowMs()).toBe(builtMs + 90 * dayMs);
  });

  test('comes back after more than thirty days off when a second signer was there, and not otherwise (SR-16, SR-17)', () => {
    const first = start();
    first.keeper.accept({ signedMs: builtMs, atBootMs: 0 });
    const { keeper, state } = start(first.disk);
    const now = { signedMs: builtMs + 200 * dayMs, atBootMs: 0 };
    keeper.accept(now);
    keeper.witness(builtMs + 169 * dayMs);
    keeper.accept(now);
    expect(keeper.nowMs()).toBeUndefined();
    keeper.witness(builtMs + 170 * dayMs);
    expect(keeper.nowMs()).toBeUndefined();
    expect(state.current().lastSignedMs).toBe(builtMs);
    keeper.accept(now);
    expect(keeper.nowMs()).toBe(builtMs + 200 * dayMs);
  });

  test('takes an older word, or one outside the life of the software, for no witness', () => {
    const first = start();
    first.keeper.accept({ signedMs: builtMs, atBootMs: 0 });
    const { keeper } = start(first.disk);
    keeper.witness(builtMs + 180 * dayMs);
    keeper.witness(builtMs + 20 * dayMs);
    keeper.witness(builtMs + 30 * yearsMs);
    keeper.accept({ signedMs: builtMs + 9 * yearsMs, atBootMs: 0 });
    expect(keeper.nowMs()).toBeUndefined();
    keeper.accept({ signedMs: builtMs + 200 * dayMs, atBootMs: 0 });
    expect(keeper.nowMs()).toBe(builtMs + 200 * dayMs);
  });

  test('keeps the time it has when it refuses another', () => {
    const { keeper, state } = start();
    keeper.accept({ signedMs: builtMs, atBootMs: 0 });
    keeper.accept({ signedMs: builtMs + maxAdvanceMs + 1, atBootMs: 0 });
    keeper.accept({ signedMs: builtMs - 1, atBootMs: 0 });
    expect(keeper.nowMs()).toBe(builtMs);
    expect(state.current().lastSignedMs).toBe(builtMs);
  });
});
