import { beforeEach, describe, expect, test } from 'vitest';
import { openTestAudit, recordsOf } from '#agents/audit/audit.fixture';
import type { AuditLog } from '#agents/audit/log';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { type MemoryLog, memoryLog } from '#hal/memory/log';
import { type Lifecycle, type LifecycleEvent, lifecycle } from './lifecycle.ts';
import { openState, type StateKeeper } from './state.ts';
import { transition } from './transition.ts';

const device = new Uint8Array(16).fill(0xd0);

describe('a step in the life of a device', () => {
  let disk: Map<string, Uint8Array>;
  let state: StateKeeper;
  let audit: AuditLog;
  let log: MemoryLog;
  beforeEach(async () => {
    disk = new Map();
    state = unwrap(openState(memoryStore(disk)));
    audit = await openTestAudit(virtualClock());
    log = memoryLog();
  });
  const go = (event: LifecycleEvent, change = {}) => transition({ state, audit, log }, event, change);
  const outcome = (result: Result<Lifecycle>) => (result.ok ? result.value : codeOf(result.fault));

  test.each(
    (Object.keys(lifecycle) as Lifecycle[]).flatMap((from) =>
      (Object.keys(lifecycle[from]) as LifecycleEvent[]).map((event) => [from, event] as const),
    ),
  )('from %s by %s is durable, and one record says so', async (from, event) => {
    unwrap(state.update({ lifecycle: from, device }));
    const to = lifecycle[from][event]?.[0];
    expect(outcome(await go(event))).toBe(to);
    expect(unwrap(openState(memoryStore(disk))).current().lifecycle).toBe(to);
    expect(recordsOf(audit)).toMatchObject([
      { category: 'lifecycle', event: 'lifecycle.changed', outcome: 'done', action: event, resource: to },
    ]);
  });

  test('that the table does not have changes nothing and leaves no record', async () => {
    expect(outcome(await go('resume'))).toBe('protocol/event-refused');
    expect(state.current().lifecycle).toBe('unenrolled');
    expect(disk.size).toBe(0);
    expect(recordsOf(audit)).toEqual([]);
  });

  test('stores what comes with it in the same write', async () => {
    await go('enrol');
    await go('enrolled', { device });
    expect(unwrap(openState(memoryStore(disk))).current()).toMatchObject({ lifecycle: 'active', device });
  });

  test('forgets the device when enrolment is refused, also over a restart', async () => {
    await go('enrol');
    unwrap(state.update({ device }));
    expect(outcome(await go('refused'))).toBe('unenrolled');
    for (const keeper of [state, unwrap(openState(memoryStore(disk)))]) expect(keeper.current().device).toBeUndefined();
  });

  test('does not count when it cannot be stored', async () => {
    state = unwrap(openState({ ...memoryStore(), put: () => deny('unavailable', 'storage-failed') }));
    expect(outcome(await go('enrol'))).toBe('unavailable/storage-failed');
    expect(state.current().lifecycle).toBe('unenrolled');
    expect(recordsOf(audit)).toEqual([]);
  });

  test('counts also when the audit log takes no record, and the local log says so (SR-14)', async () => {
    audit = await openTestAudit(virtualClock(), { capacity: { records: 0, reserved: 0 } });
    expect(outcome(await go('enrol'))).toBe('enrolling');
    expect(log.entries).toEqual([{ level: 'warn', event: 'audit.unwritten', fields: { code: 'resource/storage-full' } }]);
  });
});
