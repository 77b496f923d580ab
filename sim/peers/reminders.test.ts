import { beforeEach, describe, expect, test } from 'vitest';
import type { DeviceReport } from '#protos/gen/types';
import { type Reminders, reminders } from './reminders.ts';

const digest = new Uint8Array(32);
const reported = (version: number, kind = 'policy'): DeviceReport => ({
  lifecycle: 'active',
  level: 'basic',
  managed: version === 0 ? [] : [{ kind, version, digest, holds: true }],
});
const handle = 'ab'.repeat(16);
const told = [{ announcement: { kind: 'policy', version: 2 } }];

describe('what Command says again', () => {
  let nowMs: number;
  let reminded: Reminders;
  beforeEach(() => {
    nowMs = 0;
    reminded = reminders(() => nowMs);
  });
  const dueAt = (atMs: number, report: DeviceReport | undefined) => {
    nowMs = atMs;
    return reminded.due('a', handle, report);
  };

  test('is what a device has not reported, and nothing to one that never reported', () => {
    reminded.want('policy', 2);
    expect(dueAt(0, undefined)).toEqual([]);
    expect(dueAt(0, reported(1))).toEqual([]);
    expect(dueAt(1_999, reported(1))).toEqual([]);
    expect(dueAt(2_000, reported(1))).toEqual(told);
    expect(dueAt(9_000, reported(2))).toEqual([]);
    expect(dueAt(9_000, reported(3))).toEqual([]);
  });

  test('is what a device lacks that has another class', () => {
    reminded.want('policy', 2);
    dueAt(0, reported(2, 'apps'));
    expect(dueAt(2_000, reported(2, 'apps'))).toEqual(told);
    expect(reminders(() => nowMs).due('a', handle, reported(0))).toEqual([]);
  });

  test('comes after twice the wait each time, five minutes at most, and soon again for something new', () => {
    reminded.want('policy', 2);
    const heardAt: number[] = [];
    for (let atMs = 0; atMs < 3_000_000; atMs += 500) if (dueAt(atMs, reported(1)).length > 0) heardAt.push(atMs);
    const waits = heardAt.map((atMs, index) => atMs - (heardAt[index - 1] ?? 0));
    expect(waits.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000]);
    expect(Math.max(...waits)).toBe(300_000);
    reminded.want('policy', 3);
    dueAt(3_000_000, reported(2));
    expect(dueAt(3_002_000, reported(2))).toEqual([{ announcement: { kind: 'policy', version: 3 } }]);
  });

  test('begins anew for a device that had everything or has another label', () => {
    reminded.want('policy', 2);
    for (const atMs of [0, 2_000, 6_000]) dueAt(atMs, reported(1));
    dueAt(7_000, reported(2));
    dueAt(8_000, reported(1));
    expect(dueAt(10_000, reported(1))).toEqual(told);
    reminded.forget('a');
    dueAt(11_000, reported(1));
    expect(dueAt(13_000, reported(1))).toEqual(told);
  });

  test('is an order that a device does not obey yet, to that device alone', () => {
    const envelope = Uint8Array.of(1);
    reminded.order(handle, 'suspended', envelope);
    dueAt(0, reported(0));
    expect(dueAt(2_000, reported(0))).toEqual([{ order: { envelope } }]);
    expect(dueAt(9_000, { ...reported(0), lifecycle: 'suspended' })).toEqual([]);
    for (const atMs of [10_000, 20_000]) {
      nowMs = atMs;
      expect(reminded.due('b', 'cd'.repeat(16), reported(0))).toEqual([]);
    }
  });
});
