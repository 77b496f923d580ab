import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { apiDoor, type DoorParts } from '#agents/api/door';
import { openTestAudit } from '#agents/audit/audit.fixture';
import type { AuditLog } from '#agents/audit/log';
import { toHex, utf8 } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { ok, unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import type { AuditList, AuditProof } from '#protos/gen/types';
import { ask, askJson, serveDevice, type TestDevice } from '../enigmctl.fixture.ts';

const actor = new Uint8Array(16).fill(0xa5);
const fault = (category: string, reason: string) => ({ code: 4, json: { fault: { category, reason } } });

describe('enigmctl audit', () => {
  let audit: AuditLog;
  let device: TestDevice;
  /** What the device says in place of its records; undefined: the truth. */
  let lies: ((list: AuditList) => AuditList) | undefined;
  beforeEach(async () => {
    const clock = virtualClock();
    audit = await openTestAudit(clock);
    lies = undefined;
    const door = apiDoor({ audit, clock } as unknown as DoorParts);
    device = await serveDevice({
      'audit.status': door['audit.status'],
      'audit.prove': door['audit.prove'],
      'audit.list': async (request, signal) => {
        const list = unwrap(await door['audit.list'](request, signal));
        return ok(lies?.(list) ?? list);
      },
    });
    await audit.record({ event: 'risk.engine', outcome: 'done' });
    await audit.record({ event: 'admin.reboot', outcome: 'done', action: 'reboot-device', resource: 'device', actor });
    await audit.record({ event: 'authz.decision', outcome: 'denied', fault: { category: 'posture', reason: 'stale' } });
    await audit.tend();
  });
  afterEach(() => device[Symbol.asyncDispose]());

  const on = (...words: readonly string[]) => askJson('--run', device.directory, 'audit', ...words);
  const proofFile = () => join(device.directory, 'record.proof');
  const prove = async (): Promise<AuditProof> => {
    expect(await on('prove', '1', '--out', proofFile())).toMatchObject({ code: 0, json: { index: 1 } });
    return unwrap(decodeMessage('AuditProof', readFileSync(proofFile())));
  };
  /** Checked as anybody would: the file alone, no device. */
  const check = (proof?: AuditProof) => {
    if (proof !== undefined) writeFileSync(proofFile(), encodeMessage('AuditProof', proof));
    return askJson('--run', '/nowhere', 'audit', 'check', proofFile());
  };

  test('lists every record, or those of one category', async () => {
    const { json } = await on('list');
    expect(json).toMatchObject({
      records: [
        { index: 0, event: 'risk.engine', category: 'intelligence' },
        { index: 1, event: 'admin.reboot', action: 'reboot-device', resource: 'device', actor: toHex(actor) },
        { index: 2, event: 'authz.decision', outcome: 'denied', code: 'posture/stale' },
      ],
    });
    expect(await on('list', '--category', 'administration')).toMatchObject({ json: { records: [{ index: 1 }] } });
    expect(await on('list', '--category', 'nothing')).toEqual({ code: 0, json: { records: [] } });
    const text = await ask('--run', device.directory, 'audit', 'list');
    expect(text.out).toContain('admin.reboot           done    reboot-device on device');
  });

  test('lists a log that is longer than one answer', async () => {
    await Promise.all(Array.from({ length: 190 }, () => audit.record({ event: 'risk.engine', outcome: 'done' })));
    await Promise.all(
      Array.from({ length: 190 }, () => audit.record({ event: 'risk.engine', outcome: 'done', source: 'another' })),
    );
    const { json } = await on('list');
    expect((json as { readonly records: readonly unknown[] }).records.length).toBe(383);
    expect(await on('verify')).toMatchObject({ code: 0 });
  });

  test('verifies the whole tree against the signed checkpoint', async () => {
    expect(await on('verify')).toMatchObject({ code: 0, json: { size: 2, state: 'intact' } });
  });

  test.each<[string, (list: AuditList) => AuditList]>([
    [
      'a record changed',
      (list) => ({ ...list, entries: list.entries.map((entry, at) => (at === 1 ? { ...entry, record: utf8('x') } : entry)) }),
    ],
    [
      'a record and its hash changed',
      (list) => ({
        ...list,
        entries: list.entries.map((entry, at) => (at === 0 ? { index: 0, hash: new Uint8Array(32) } : entry)),
      }),
    ],
    [
      'two records changed places',
      (list) => ({
        ...list,
        entries: [list.entries[1], list.entries[0], ...list.entries.slice(2)].flatMap((entry) => entry ?? []),
      }),
    ],
    ['records cut off', (list) => ({ ...list, entries: list.entries.slice(0, 1) })],
    ['no records at all', (list) => ({ ...list, entries: [] })],
  ])('refuses a log with %s', async (_, lie) => {
    lies = lie;
    expect(await on('verify')).toEqual(fault('integrity', 'audit-tampered'));
  });

  test('proves a record to anybody, without the device', async () => {
    const proof = await prove();
    expect(await check()).toEqual({
      code: 0,
      json: {
        index: 1,
        size: proof.size,
        record: expect.objectContaining({ index: 1, event: 'admin.reboot', actor: toHex(actor), action: 'reboot-device' }),
      },
    });
    const text = await ask('audit', 'check', proofFile());
    expect(text.out).toContain('holds: record 1 of 3');
  });

  const flip = (bytes: Uint8Array, at: number): Uint8Array => {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  };
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
  const withoutLine = (note: Uint8Array, which: number): Uint8Array => {
    const [head = '', signatures = ''] = text(note).split('\n\n');
    const lines = signatures.split('\n').filter((line) => line !== '');
    return utf8(`${head}\n\n${lines.filter((_, at) => at !== which).join('\n')}\n`);
  };

  test.each<[string, (proof: AuditProof) => AuditProof, string]>([
    ['another record', (proof) => ({ ...proof, record: flip(proof.record, 3) }), 'proof-invalid'],
    ['no record', (proof) => ({ ...proof, record: new Uint8Array() }), 'proof-invalid'],
    [
      'another path',
      (proof) => ({ ...proof, path: proof.path.map((hash, at) => (at === 0 ? flip(hash, 0) : hash)) }),
      'proof-invalid',
    ],
    ['a shorter path', (proof) => ({ ...proof, path: proof.path.slice(1) }), 'proof-invalid'],
    ['a longer path', (proof) => ({ ...proof, path: [...proof.path, new Uint8Array(32)] }), 'proof-invalid'],
    ['another place', (proof) => ({ ...proof, index: 0 }), 'proof-invalid'],
    ['a place outside', (proof) => ({ ...proof, index: 99 }), 'proof-invalid'],
    [
      'the classical signature stripped',
      (proof) => ({ ...proof, checkpoint: withoutLine(proof.checkpoint, 0) }),
      'signature-missing',
    ],
    [
      'the post-quantum signature stripped',
      (proof) => ({ ...proof, checkpoint: withoutLine(proof.checkpoint, 1) }),
      'signature-missing',
    ],
    [
      'another root in the checkpoint',
      (proof) => ({
        ...proof,
        checkpoint: utf8(text(proof.checkpoint).replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${'A'.repeat(43)}=\n`)),
      }),
      'signature-invalid',
    ],
    [
      'another counter in the checkpoint',
      (proof) => ({ ...proof, checkpoint: utf8(text(proof.checkpoint).replace(/\nanchor \d+\n/, '\nanchor 77\n')) }),
      'signature-invalid',
    ],
    [
      'another classical key',
      (proof) => ({ ...proof, key: { ...proof.key, classical: flip(proof.key.classical, 0) } }),
      'signature-missing',
    ],
    [
      'another post-quantum key',
      (proof) => ({ ...proof, key: { ...proof.key, postQuantum: flip(proof.key.postQuantum, 0) } }),
      'signature-missing',
    ],
  ])('refuses a proof with %s', async (_, change, reason) => {
    const proof = await prove();
    expect(await check(change(proof))).toEqual(fault('integrity', reason));
  });

  test('refuses a proof that is cut, no proof, and no file', async () => {
    await prove();
    const bytes = readFileSync(proofFile());
    for (const length of [0, 1, bytes.length >> 1, bytes.length - 1]) {
      writeFileSync(proofFile(), bytes.subarray(0, length));
      const { code, json } = await check();
      expect(code).toBe(4);
      expect(json).toMatchObject({ fault: { category: expect.stringMatching(/^(?:protocol|integrity)$/) } });
    }
    expect(await askJson('audit', 'check', join(device.directory, 'missing'))).toEqual(fault('protocol', 'file-unreadable'));
  });

  test('has no proof for a record that is not there, or is no number, and leaves no file', async () => {
    for (const index of ['3', '99', '-1', '1e2', 'one', '0x1', '9'.repeat(16)])
      expect(await on('prove', '--out', proofFile(), '--', index), index).toEqual(fault('protocol', 'field-invalid'));
    expect(() => readFileSync(proofFile())).toThrow('ENOENT');
  });

  test('says so when the proof cannot be written', async () => {
    expect(await on('prove', '1', '--out', join(device.directory, 'no', 'where'))).toEqual(fault('protocol', 'file-unreadable'));
  });
});
