import { beforeEach, describe, expect, test } from 'vitest';
import { deny, done } from '#hal/core/result';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { seededRandom } from '#hal/memory/random';
import type { FleetMessage, ManagedState, RiskTelemetry } from '#protos/gen/types';
import { newReporter, type Reporter } from './reporter.ts';

const { signal } = new AbortController();

describe('what a device reports', () => {
  let clock: VirtualClock;
  let report: Reporter;
  let managed: ManagedState[];
  let sent: FleetMessage[];
  let isBrokerThere: boolean;
  let judged: RiskTelemetry | undefined;
  const holds = (value: boolean) => {
    managed = [{ kind: 'policy', version: 1, digest: new Uint8Array(32), holds: value }];
  };
  const send = async () => {
    await report.send(signal);
    return sent.length;
  };
  const acknowledge = (index: number) => report.acknowledge(sent[index]?.id ?? new Uint8Array(16));

  beforeEach(() => {
    clock = virtualClock();
    sent = [];
    isBrokerThere = true;
    judged = undefined;
    holds(true);
    report = newReporter({
      clock,
      random: seededRandom('reports'),
      manager: { states: async () => managed },
      state: { current: () => ({ lifecycle: 'active', handleEpoch: 1, sessions: [] }) },
      trust: { posture: () => undefined },
      risk: () => judged,
      publish: async (message) => {
        if (!isBrokerThere) return deny('unavailable', 'broker-unreachable');
        sent.push(message);
        return done;
      },
    });
  });

  test('has what was judged only where it may leave, and is said again when that changes', async () => {
    await send();
    acknowledge(0);
    expect(sent[0]?.report).not.toHaveProperty('risk');
    judged = { category: 'low', band: 'weak', model: new Uint8Array(32) };
    expect(await send()).toBe(2);
    expect(sent[1]?.report?.risk).toEqual(judged);
  });

  test('is said again until exactly that was acknowledged', async () => {
    expect([await send(), await send()]).toEqual([1, 2]);
    report.acknowledge(new Uint8Array(16));
    acknowledge(0);
    expect(await send()).toBe(3);
    acknowledge(2);
    expect(await send()).toBe(3);
  });

  test('is said again after a change and back, since the change may have been heard', async () => {
    await send();
    acknowledge(0);
    holds(false);
    expect(await send()).toBe(2);
    holds(true);
    expect(await send()).toBe(3);
    expect(sent[2]?.report?.managed).toEqual(managed);
  });

  test('counts what the broker took and nobody answered', async () => {
    isBrokerThere = false;
    await send();
    expect(report.unanswered()).toBe(0);
    isBrokerThere = true;
    await send();
    await send();
    expect(report.unanswered()).toBe(2);
    acknowledge(1);
    expect(report.unanswered()).toBe(0);
  });

  test('is not kept waiting by a change that came before the wait', async () => {
    await send();
    report.changed();
    await report.wait(20_000, signal);
    expect(clock.bootMs()).toBe(0);
    await send();
    let isOver = false;
    const waiting = report.wait(20_000, signal).then(() => {
      isOver = true;
    });
    await clock.advance(19_999);
    expect(isOver).toBe(false);
    report.changed();
    await waiting;
  });
});
