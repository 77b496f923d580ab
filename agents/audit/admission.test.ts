/** What somebody who calls from outside can do to the audit log, and what he cannot (SR-14). */
import { beforeEach, describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { askedBurst } from './admission.ts';
import { openTestAudit, recordsOf } from './audit.fixture.ts';
import type { AuditEntry } from './entry.ts';
import type { AuditLog } from './log.ts';

const minuteMs = 60_000;
const person = new Uint8Array(16).fill(0xa5);
const allowed: AuditEntry = { event: 'authz.decision', outcome: 'allowed', action: 'open-secure-call', source: 'api' };
const refusal: AuditEntry = {
  event: 'authz.decision',
  outcome: 'denied',
  fault: { category: 'posture', reason: 'stale' },
  action: 'open-secure-messaging',
  source: 'api',
};

describe('a flood from outside (SR-14)', () => {
  let clock: VirtualClock;
  let audit: AuditLog;
  beforeEach(async () => {
    clock = virtualClock();
    audit = await openTestAudit(clock);
  });
  /** Every second for so many minutes, with the log tended each minute. */
  const flood = async (minutes: number, entry: AuditEntry): Promise<number> => {
    let calls = 0;
    for (let minute = 0; minute < minutes; minute += 1) {
      for (let second = 0; second < 60; second += 1) {
        await audit.record(entry);
        calls += 1;
        await clock.advance(1_000);
      }
      await audit.tend();
    }
    return calls;
  };
  const written = (event: AuditEntry['event'] = 'authz.decision') => recordsOf(audit).filter((record) => record.event === event);

  test('leaves one record a minute after its first, and says how many are missing', async () => {
    const calls = await flood(60, allowed);
    expect(calls).toBeGreaterThan(askedBurst + 60);
    const gaps = written('audit.gap');
    expect(written().length).toBeLessThanOrEqual(askedBurst + 60);
    expect(gaps.length).toBeLessThanOrEqual(60);
    expect(written().length + gaps.reduce((missing, { repeats = 0 }) => missing + repeats, 0)).toBe(calls);
  });

  test('of one refusal leaves one record, and a count for each window, which grow to an hour: none is lost', async () => {
    const calls = await flood(8 * 60, refusal);
    await clock.advance(2 * 60 * minuteMs);
    await audit.tend();
    const [first, ...counts] = written();
    expect(first?.repeats).toBeUndefined();
    expect(counts.length).toBeLessThanOrEqual(6 + 8);
    expect(1 + counts.reduce((total, { repeats = 0 }) => total + repeats, 0)).toBe(calls);
    expect(written('audit.gap')).toEqual([]);
  });

  test('is over after a quiet window: the same refusal is then written at once', async () => {
    await flood(2, refusal);
    await clock.advance(60 * minuteMs);
    await audit.tend();
    await clock.advance(60 * minuteMs);
    await audit.tend();
    const before = audit.status().size;
    await audit.record(refusal);
    expect(audit.status().size).toBe(before + 1);
    expect(recordsOf(audit).at(-1)?.repeats).toBeUndefined();
  });

  test('keeps no refusal of a person out, nor one that is about something else', async () => {
    await Promise.all(Array.from({ length: 2 * askedBurst }, () => audit.record(allowed)));
    await flood(1, refusal);
    for (let count = 0; count < 300; count += 1)
      await audit.record({ ...refusal, resource: `${count % 2}`, handle: new Uint8Array(16).fill(count) });
    expect((await audit.record({ ...refusal, actor: person })).ok).toBe(true);
    expect((await audit.record({ ...refusal, action: 'reboot-device' })).ok).toBe(true);
    expect(recordsOf(audit).filter(({ actor }) => actor !== undefined && toHex(actor) === toHex(person)).length).toBe(1);
    expect(written().filter(({ action }) => action === 'reboot-device').length).toBe(1);
  });

  test('keeps out no privileged record, and nothing that the device does by itself', async () => {
    await Promise.all(Array.from({ length: 2 * askedBurst }, () => audit.record(allowed)));
    expect((await audit.record(allowed)).ok).toBe(false);
    for (let count = 0; count < 20; count += 1)
      expect((await audit.record({ event: 'admin.reboot', outcome: 'allowed', source: 'api' })).ok).toBe(true);
    expect((await audit.record({ event: 'net.link', outcome: 'done' })).ok).toBe(true);
    expect(written('admin.reboot').length).toBe(20);
  });
});
