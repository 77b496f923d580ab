import { beforeEach, describe, expect, test } from 'vitest';
import { codeOf, deny, ok, type Result } from '#hal/core/result';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { memoryLog } from '#hal/memory/log';
import type { SignedBundle } from './bundles.ts';
import type { Enforcer, InForce } from './enforcer.ts';
import { type PolicyManager, policyManager } from './manager.ts';
import type { BundleShelf } from './source.ts';

const digest = new Uint8Array(32);
const bundle: SignedBundle = { kind: 'policy', payload: new Uint8Array(), signer: new Uint8Array(16) };
const outcome = (result: Result<boolean>) => (result.ok ? result.value : codeOf(result.fault));

describe('the policy manager', () => {
  let clock: VirtualClock;
  let manager: PolicyManager;
  let inForce: readonly InForce[];
  let refreshes: { readonly signal: AbortSignal; readonly answer: (shelf: Result<BundleShelf>) => void }[];
  let asked: string[];
  let applies: number;
  const { signal } = new AbortController();

  beforeEach(() => {
    clock = virtualClock();
    inForce = [];
    refreshes = [];
    asked = [];
    applies = 0;
    const enforcer: Enforcer = {
      apply: async () => {
        applies += 1;
        return ok({ kind: 'policy', version: 3, digest, holds: true });
      },
      restore: async () => undefined,
      status: async () => inForce,
      configuration: () => undefined,
    };
    const source = {
      refresh: (given: AbortSignal) =>
        new Promise<Result<BundleShelf>>((answer) => {
          refreshes.push({ signal: given, answer });
        }),
    };
    manager = policyManager({ enforcer, source, carried: () => ({ refresh: async () => ok(shelf) }), clock, log: memoryLog() });
  });

  /** A repository that has version 3 of the policy. */
  const shelf: BundleShelf = {
    newest: async (kind, installed) => {
      asked.push(`${kind} ${installed}`);
      if (kind !== 'policy') return deny('policy', 'target-missing');
      return ok(installed < 3 ? bundle : undefined);
    },
  };

  test('does not end the work of others when who asked first leaves', async () => {
    const leaving = new AbortController();
    const first = manager.update(leaving.signal);
    const second = manager.update(signal);
    leaving.abort();
    expect(outcome(await first)).toBe('unavailable/aborted');
    expect(refreshes.map((refresh) => refresh.signal.aborted)).toEqual([false]);
    refreshes[0]?.answer(ok(shelf));
    expect(outcome(await second)).toBe(true);
  });

  test('gives up a far end that never answers, and can be asked again', async () => {
    const asking = manager.update(signal);
    await clock.advance(5 * 60_000);
    expect(outcome(await asking)).toBe('resource/time-limit');
    expect(refreshes[0]?.signal.aborted).toBe(true);
    const again = manager.update(signal);
    refreshes[1]?.answer(ok(shelf));
    expect(outcome(await again)).toBe(true);
  });

  test('takes what was carried to it after what it is doing, and asks no far end for it (SR-17)', async () => {
    const asking = manager.update(signal);
    const importing = manager.updateFrom(new Map(), signal);
    expect(applies).toBe(0);
    refreshes[0]?.answer(deny('unavailable', 'peer-unreachable'));
    expect(outcome(await asking)).toBe('unavailable/peer-unreachable');
    expect(outcome(await importing)).toBe(true);
    expect([applies, refreshes.length]).toEqual([1, 1]);
  });

  test('does not begin with what was carried to it for somebody who left', async () => {
    void manager.update(signal);
    const leaving = new AbortController();
    const importing = manager.updateFrom(new Map(), leaving.signal);
    leaving.abort();
    expect(outcome(await importing)).toBe('unavailable/aborted');
    expect(applies).toBe(0);
  });

  test.each([
    ['leaves alone what holds', true, 'policy 3', 0],
    ['applies again what does not hold any more', false, 'policy 2', 1],
  ])('%s', async (_, holds, question, count) => {
    inForce = [{ kind: 'policy', version: 3, digest, holds }];
    const asking = manager.update(signal);
    refreshes[0]?.answer(ok(shelf));
    await asking;
    expect(asked[0]).toBe(question);
    expect(applies).toBe(count);
  });
});
