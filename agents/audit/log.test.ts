import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { codeOf, deny, ok, type Result, unwrap } from '#hal/core/result';
import { leafHash, verifyInclusion } from '#hal/crypto/merkle';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSign, hybridSignatureSuites } from '#hal/crypto/suites';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { seededRandom } from '#hal/memory/random';
import type { Counter } from '#hal/ports/tpm';
import { askedBurst } from './admission.ts';
import { openCheckpoint } from './checkpoint.ts';
import { type AuditEvent, auditEvents } from './events.ts';
import { type AuditLog, type AuditParts, openAuditLog } from './log.ts';
import { type AuditStore, openAuditStore, openAuditStoreOrAnew } from './store.ts';

const { secretKey, publicKey } = hybridKeyPair(nodeCrypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], seededRandom('audit'));
const base = 41;

/** A TPM counter and a signer that live longer than the log, as the hands do. */
const newHands = () => {
  const hands = { value: base, isDown: false };
  const down = deny('unavailable', 'program-down');
  const counter = (): Result<Counter> => (hands.isDown ? down : ok({ value: hands.value, base }));
  return {
    hands,
    sign: async (message: Uint8Array) => (hands.isDown ? down : ok(hybridSign(nodeCrypto, secretKey, message))),
    readCounter: async () => counter(),
    advanceCounter: async () => {
      if (!hands.isDown) hands.value += 1;
      return counter();
    },
  };
};

describe('the audit log (SR-14)', () => {
  let directory: string;
  let path: string;
  let clock: VirtualClock;
  let device: ReturnType<typeof newHands>;
  let store: AuditStore;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-audit-'));
    path = join(directory, 'audit.db');
    clock = virtualClock();
    device = newHands();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const open = (changed: Partial<AuditParts> = {}): Promise<AuditLog> => {
    store = unwrap(openAuditStore(path));
    const { sign, readCounter, advanceCounter } = device;
    return openAuditLog({
      store,
      clock,
      crypto: nodeCrypto,
      bootId: new Uint8Array(16),
      keys: publicKey,
      sign,
      readCounter,
      advanceCounter,
      ...changed,
    });
  };
  const kill = () => store.close();
  const write = (log: AuditLog, count: number, event: AuditEvent = 'risk.engine') =>
    Promise.all(Array.from({ length: count }, () => log.record({ event, outcome: 'done' })));

  test('keeps what it acknowledged over a kill, in order, each under its category', async () => {
    const log = await open();
    const receipts = await write(log, 5);
    kill();
    const again = await open();
    expect(again.status()).toMatchObject({ state: 'intact', size: 5 });
    const leaves = again.list(0, 10);
    expect(leaves.map(({ hash }) => hash)).toEqual(
      receipts.map((receipt) => receipt.ok && receipt.value.leaf).map((leaf) => new Uint8Array(leaf as Uint8Array)),
    );
    const record = unwrap(decodeMessage('AuditRecord', leaves[0]?.record ?? new Uint8Array()));
    expect(record).toMatchObject({ category: 'intelligence', event: 'risk.engine', outcome: 'done', retention: 'routine' });
    await again.close();
  });

  test.each([
    ['is no database', () => writeFileSync(path, new Uint8Array(5000).fill(7))],
    [
      'is another one',
      () => {
        const database = new DatabaseSync(path);
        database.exec('CREATE TABLE leaf (name TEXT)');
        database.close();
      },
    ],
  ])('begins anew where its file %s, keeps that file, and says that it was tampered with', async (_, damage) => {
    const log = await open();
    await log.record({ event: 'admin.reboot', outcome: 'done' });
    await log.close();
    rmSync(path);
    damage();
    expect(openAuditStore(path)).toMatchObject({ fault: { reason: 'storage-failed' } });
    const kept = readFileSync(path);
    const { store: anew, putAside = '' } = unwrap(openAuditStoreOrAnew(path, 1_234));
    anew.close();
    expect(putAside).toBe(`${path}.1234`);
    expect(readFileSync(putAside).equals(kept)).toBe(true);
    const again = await open();
    expect(again.status()).toMatchObject({ state: 'tampered', size: 0 });
    expect(unwrap(openAuditStoreOrAnew(path, 1_235)).putAside).toBeUndefined();
    kill();
  });

  test('is not begun anew where its medium fails', () => {
    expect(openAuditStoreOrAnew(directory, 1)).toMatchObject({ fault: { reason: 'storage-failed' } });
    expect(readdirSync(join(directory, '..')).filter((name) => name.endsWith('.1'))).toEqual([]);
  });

  test('proves any record against a checkpoint that both keys signed', async () => {
    const log = await open();
    await write(log, 7);
    const proof = unwrap(await log.prove(3));
    const checkpoint = unwrap(openCheckpoint(nodeCrypto, proof.checkpoint, publicKey));
    expect(checkpoint).toMatchObject({ size: 7, anchor: device.hands.value });
    expect(verifyInclusion(leafHash(proof.record), 3, checkpoint.size, proof.path, checkpoint.root)).toBe(true);
    expect(await log.prove(7)).toMatchObject({ fault: { reason: 'field-invalid' } });
    await log.close();
  });

  test('asking for proofs does not wear the TPM out, and a restart finds the log as it left it', async () => {
    const log = await open();
    const start = device.hands.value;
    for (let index = 0; index < 40; index += 1) {
      await write(log, 1);
      const proof = unwrap(await log.prove(index));
      const checkpoint = unwrap(openCheckpoint(nodeCrypto, proof.checkpoint, publicKey));
      expect(verifyInclusion(leafHash(proof.record), index, checkpoint.size, proof.path, checkpoint.root)).toBe(true);
    }
    expect(device.hands.value).toBe(start);
    kill();
    const database = new DatabaseSync(path);
    expect(database.prepare('SELECT COUNT(*) AS count FROM checkpoint').get()).toEqual({ count: 16 });
    database.close();
    const again = await open();
    expect(again.status()).toMatchObject({ state: 'intact', size: 40 });
    await again.record({ event: 'admin.reboot', outcome: 'done' });
    expect(device.hands.value).toBe(start + 1);
    await again.close();
    expect((await open()).status().state).toBe('intact');
    kill();
  });

  test('anchors a privileged record at once, others at a clean end or after fifteen minutes', async () => {
    const log = await open();
    const start = device.hands.value;
    await write(log, 3);
    await log.tend();
    expect(device.hands.value).toBe(start);
    await log.record({ event: 'admin.reboot', outcome: 'done' });
    expect(device.hands.value).toBe(start + 1);
    await write(log, 1);
    await clock.advance(15 * 60_000);
    await log.tend();
    expect(device.hands.value).toBe(start + 2);
    await write(log, 1);
    await log.close();
    expect(device.hands.value).toBe(start + 3);
  });

  test('starts intact when the cut fell between writing a checkpoint and advancing the counter', async () => {
    const log = await open();
    await write(log, 2);
    await log.close();
    device.hands.value -= 1;
    const again = await open();
    expect(again.status().state).toBe('intact');
    await again.record({ event: 'admin.reboot', outcome: 'done' });
    expect(again.status().state).toBe('intact');
    await again.close();
  });

  const moveCounter = (by: number) => {
    device.hands.value += by;
  };
  const tamper = (sql: string) => {
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
  };
  test.each<[string, () => void]>([
    ['a record was rewritten', () => tamper('UPDATE leaf SET record = zeroblob(8) WHERE position = 1')],
    ['a hash was rewritten', () => tamper('UPDATE leaf SET hash = zeroblob(32) WHERE position = 1')],
    ['a tree node was rewritten', () => tamper('UPDATE node SET hash = zeroblob(32) WHERE level = 1 AND position = 0')],
    ['a record was cut out', () => tamper('DELETE FROM leaf WHERE position = 1')],
    ['a record was moved out of what can be counted', () => tamper(`UPDATE leaf SET position = ${2n ** 60n} WHERE position = 4`)],
    ['a record was moved out of the log', () => tamper('UPDATE leaf SET position = 4096 WHERE position = 4')],
    ['a hash was cut', () => tamper("UPDATE leaf SET hash = x'07' WHERE position = 1")],
    [
      'a hash was cut in the tree too, and its record is gone',
      () =>
        tamper(`UPDATE leaf SET hash = x'07', record = NULL WHERE position = 1;
                UPDATE node SET hash = x'07' WHERE level = 0 AND position = 1`),
    ],
    ['a record was made longer than any', () => tamper('UPDATE leaf SET record = zeroblob(4194304) WHERE position = 1')],
    ['a node is no hash', () => tamper("UPDATE node SET hash = x'' WHERE level = 0 AND position = 1")],
    ['the size of a checkpoint cannot be counted', () => tamper(`UPDATE checkpoint SET size = ${2n ** 60n}`)],
    ['a checkpoint is longer than any', () => tamper('UPDATE checkpoint SET note = zeroblob(20000)')],
    ['a checkpoint is empty', () => tamper("UPDATE checkpoint SET note = x''")],
    [
      'a table is another one',
      () =>
        tamper(`DROP TABLE leaf; CREATE TABLE leaf (position, hash, record, keep_until);
                INSERT INTO leaf VALUES ('a', 5, 'text', 'b'), (NULL, NULL, NULL, NULL)`),
    ],
    [
      'the end was cut off',
      () => tamper('DELETE FROM leaf WHERE position >= 2; DELETE FROM node WHERE level = 0 AND position >= 2'),
    ],
    [
      'the newest checkpoint was removed',
      () => tamper('DELETE FROM checkpoint WHERE rowid = (SELECT MAX(rowid) FROM checkpoint)'),
    ],
    ['the whole log was removed', () => rmSync(path)],
    ['the TPM went back further than a cut explains', () => moveCounter(-2)],
    ['the TPM went ahead: an older log was put back', () => moveCounter(1)],
  ])('is tampered when %s, says so, and does not stop', async (_, change) => {
    const log = await open();
    await write(log, 4);
    await log.record({ event: 'admin.reboot', outcome: 'done' });
    await log.close();
    change();
    const again = await open();
    expect(again.status()).toMatchObject({ state: 'tampered', fault: { category: 'integrity', reason: 'audit-tampered' } });
    expect(await again.prove(0)).toMatchObject({ fault: { reason: 'audit-tampered' } });
    expectTold(again);
    await again.close();
  });

  /** The messages that carry a log take what it answers, whatever lies in its database. */
  const expectTold = (log: AuditLog): void => {
    const { state, size, root, checkpoint = utf8('none') } = log.status();
    encodeMessage('AuditStatus', { state, size, root, checkpoint, key: log.keys });
    encodeMessage('AuditList', { size, entries: log.list(0, 512) });
  };

  test('tells of a tree that is not whole also before its hands are there', async () => {
    const log = await open();
    await write(log, 4);
    await log.close();
    tamper('DELETE FROM node; UPDATE leaf SET position = position + 9007199254740000');
    device.hands.isDown = true;
    const again = await open();
    expect(again.status().state).toBe('degraded');
    expect(again.list(0, 512)).toEqual([]);
    expectTold(again);
    device.hands.isDown = false;
    await again.tend();
    expect(again.status().state).toBe('tampered');
    await again.close();
  });

  test('is degraded while the hands are down, and intact again when they are back', async () => {
    const log = await open();
    device.hands.isDown = true;
    expect((await log.record({ event: 'admin.reboot', outcome: 'done' })).ok).toBe(true);
    expect(log.status()).toMatchObject({ state: 'degraded', fault: { reason: 'program-down' } });
    device.hands.isDown = false;
    await log.tend();
    expect(log.status().state).toBe('intact');
    await log.close();
  });

  test('keeps room for privileged records when it is full', async () => {
    const log = await open({ capacity: { records: 6, reserved: 2 } });
    await write(log, 4);
    const refused = await log.record({ event: 'risk.engine', outcome: 'done' });
    expect(refused.ok ? '' : codeOf(refused.fault)).toBe('resource/storage-full');
    expect(log.status().state).toBe('degraded');
    expect((await log.record({ event: 'admin.reboot', outcome: 'done' })).ok).toBe(true);
    await log.close();
  });

  test('makes room by dropping bodies whose time ended, and stays provable', async () => {
    const log = await open({ capacity: { records: 6, reserved: 2 } });
    await write(log, 4);
    await clock.advance(31 * 86_400_000);
    expect((await log.record({ event: 'lifecycle.enrolled', outcome: 'done' })).ok).toBe(true);
    expect((await log.record({ event: 'risk.engine', outcome: 'done' })).ok).toBe(true);
    await log.close();
    const again = await open();
    expect(again.status()).toMatchObject({ state: 'intact', size: 6 });
    expect(again.list(0, 1)[0]?.record).toBeUndefined();
    expect((await again.prove(4)).ok).toBe(true);
    await again.close();
  });

  test('folds identical denials and writes how many there were', async () => {
    const log = await open();
    const denial = {
      event: 'authz.decision',
      outcome: 'denied',
      fault: { category: 'posture', reason: 'stale' },
      action: 'open-secure-messaging',
    } as const;
    const receipts = await Promise.all([log.record(denial)]);
    for (let repeat = 0; repeat < 9; repeat += 1) receipts.push(await log.record(denial));
    expect(new Set(receipts.map((receipt) => receipt.ok && receipt.value.index)).size).toBe(1);
    await log.record({ ...denial, action: 'open-secure-call' });
    expect(log.status().size).toBe(2);
    await clock.advance(61_000);
    await log.tend();
    const last = unwrap(decodeMessage('AuditRecord', log.list(2, 1)[0]?.record ?? new Uint8Array()));
    expect(last).toMatchObject({ code: 'posture/stale', repeats: 9 });
    await log.close();
  });

  test('lets no source flood it, leaves a gap record, and never holds privileged records back', async () => {
    const log = await open();
    const flood = await Promise.all(
      Array.from({ length: askedBurst + 60 }, () => log.record({ event: 'authz.identity', outcome: 'allowed', source: 'app' })),
    );
    expect(flood.filter((result) => result.ok).length).toBe(askedBurst);
    expect((await log.record({ event: 'authz.identity', outcome: 'allowed', source: 'another' })).ok).toBe(true);
    expect((await log.record({ event: 'admin.reboot', outcome: 'done', source: 'app' })).ok).toBe(true);
    await log.tend();
    const records = log
      .list(askedBurst, 512)
      .map(({ record }) => unwrap(decodeMessage('AuditRecord', record ?? new Uint8Array())));
    expect(records.at(-1)).toMatchObject({ event: 'audit.gap', repeats: 60 });
    await log.close();
  });

  test('commits what came in one turn together: one transaction, many acknowledgements', async () => {
    const log = await open();
    const receipts = await write(log, 100);
    expect(receipts.every(({ ok: isOk }) => isOk)).toBe(true);
    expect(new Set(receipts.map((receipt) => receipt.ok && receipt.value.index)).size).toBe(100);
    await log.close();
  });
});

test('every audit category of the mission has at least one event', () => {
  expect(new Set(Object.values(auditEvents).map(({ category }) => category))).toEqual(
    new Set(['authorization', 'lifecycle', 'posture', 'administration', 'network', 'release', 'verification', 'intelligence']),
  );
});
