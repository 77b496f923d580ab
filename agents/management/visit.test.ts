import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTestAudit, rawRecords, recordsOf } from '#agents/audit/audit.fixture';
import type { AuditLog } from '#agents/audit/log';
import { startTestHands, type TestHands, technician } from '#agents/hands/hands.fixture';
import { toHex, utf8 } from '#hal/core/bytes';
import { deny, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { openState } from './state.ts';
import { recordBoot, recordVisit } from './visit.ts';

describe('what the mind writes down when it starts', () => {
  let clock: VirtualClock;
  let device: TestHands;
  let audit: AuditLog;
  beforeEach(async () => {
    clock = virtualClock();
    audit = await openTestAudit(clock);
  });
  afterEach(() => device[Symbol.asyncDispose]());

  test('is the visit of the technician, with all six fields, and the technician by a pseudonym alone', async () => {
    device = await startTestHands(clock);
    unwrap(await recordVisit(device.hands, nodeCrypto, audit, () => false));
    const [record] = recordsOf(audit);
    expect(record).toMatchObject({
      category: 'administration',
      event: 'admin.provisioned',
      action: 'provision-device',
      resource: 'device',
      outcome: 'done',
      timeMs: clock.nowMs(),
      retention: 'administrative',
    });
    expect(record?.actor?.length).toBe(16);
    expect(record?.changeReference?.length).toBe(32);
    for (const raw of rawRecords(audit)) expect(Buffer.from(raw).includes(Buffer.from(utf8(technician)))).toBe(false);
  });

  test('names exactly the receipt that the hands keep', async () => {
    const real = await startTestHands(clock);
    const receipt = unwrap(await real.hands.receipt());
    await real[Symbol.asyncDispose]();
    device = await startTestHands(clock, { receipt: async () => ({ ok: true, value: receipt }) });
    await recordVisit(device.hands, nodeCrypto, audit, () => false);
    const [record] = recordsOf(audit);
    expect(toHex(record?.changeReference ?? new Uint8Array())).toBe(createHash('sha256').update(receipt.envelope).digest('hex'));
  });

  test('is a failed visit where the receipt does not verify: no actor is believed', async () => {
    const real = await startTestHands(clock);
    const receipt = unwrap(await real.hands.receipt());
    await real[Symbol.asyncDispose]();
    const forged = { ...receipt, key: { ...receipt.key, classical: new Uint8Array(32) } };
    device = await startTestHands(clock, { receipt: async () => ({ ok: true, value: forged }) });
    await recordVisit(device.hands, nodeCrypto, audit, () => false);
    const [record] = recordsOf(audit);
    expect(record).toMatchObject({ outcome: 'failed', code: 'integrity/signature-missing' });
    expect(record?.actor).toBeUndefined();
  });

  test('is a failed visit where the key of the receipt was revoked', async () => {
    device = await startTestHands(clock);
    await recordVisit(device.hands, nodeCrypto, audit, () => true);
    expect(recordsOf(audit)).toMatchObject([{ event: 'admin.provisioned', outcome: 'failed', code: 'integrity/key-revoked' }]);
  });

  test('is nothing where the hands have no receipt', async () => {
    device = await startTestHands(clock, { receipt: async () => deny('unavailable', 'not-provisioned') });
    expect(await recordVisit(device.hands, nodeCrypto, audit, () => false)).toMatchObject({
      ok: false,
      fault: { reason: 'not-provisioned' },
    });
    expect(recordsOf(audit)).toEqual([]);
  });

  test('is each boot once, however often the mind starts in it', async () => {
    device = await startTestHands(clock);
    const disk = new Map<string, Uint8Array>();
    for (const boot of [1, 1, 2, 2, 1])
      await recordBoot(new Uint8Array(16).fill(boot), unwrap(openState(memoryStore(disk))), audit);
    expect(recordsOf(audit).map(({ event }) => event)).toEqual(Array(3).fill('lifecycle.booted'));
  });
});
