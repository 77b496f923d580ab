import { beforeEach, describe, expect, test } from 'vitest';
import { ok, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSign, hybridSignatureSuites } from '#hal/crypto/suites';
import { virtualClock } from '#hal/memory/clock';
import { seededRandom } from '#hal/memory/random';
import { openCheckpoint } from './checkpoint.ts';
import { type AuditLog, openAuditLog } from './log.ts';
import { type AuditStore, openAuditStore } from './store.ts';

const random = seededRandom('audit keys');
const pairs = [1, 2, 3].map(() => hybridKeyPair(nodeCrypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], random));
const pairOf = (epoch: number) => pairs[epoch - 1] as (typeof pairs)[number];

/** The keys are with the hands: the log sees only which one is in use when it asks. */
describe('an audit log whose key is rotated (SR-14)', () => {
  let disk: AuditStore;
  let counter: number;
  let epoch: number;
  beforeEach(() => {
    disk = unwrap(openAuditStore(':memory:'));
    counter = 1;
    epoch = 1;
  });

  const open = ({ isPreviousRevoked = false, onSign = () => {} } = {}): Promise<AuditLog> =>
    openAuditLog({
      store: { ...disk, close: () => undefined },
      clock: virtualClock(),
      crypto: nodeCrypto,
      bootId: new Uint8Array(16),
      keys: pairOf(epoch).publicKey,
      rotation: {
        first: pairOf(1).publicKey,
        ...(epoch === 1 || isPreviousRevoked ? {} : { previous: pairOf(epoch - 1).publicKey }),
        current: async () => ok(pairOf(epoch).publicKey),
      },
      sign: async (message) => {
        onSign();
        return ok(hybridSign(nodeCrypto, pairOf(epoch).secretKey, message));
      },
      readCounter: async () => ok({ value: counter, base: 1 }),
      advanceCounter: async () => {
        counter += 1;
        return ok({ value: counter, base: 1 });
      },
    });
  const record = (log: AuditLog) => log.record({ event: 'admin.key', outcome: 'done' });
  const signedBy = (log: AuditLog): readonly number[] => {
    const note = log.status().checkpoint ?? new Uint8Array();
    return [1, 2, 3].filter((one) => openCheckpoint(nodeCrypto, note, pairOf(one).publicKey).ok);
  };

  test('signs with the new key from the next checkpoint on, under the same name, and says which key that was', async () => {
    const log = await open();
    await record(log);
    expect(signedBy(log)).toEqual([1]);
    const old = log.status().checkpoint ?? new Uint8Array();
    epoch = 2;
    expect(log.keys).toEqual(pairOf(1).publicKey);
    await record(log);
    expect(signedBy(log)).toEqual([2]);
    expect(log.keys).toEqual(pairOf(2).publicKey);
    expect(log.status().state).toBe('intact');
    const origin = (note: Uint8Array, one: number) => unwrap(openCheckpoint(nodeCrypto, note, pairOf(one).publicKey)).origin;
    expect(origin(log.status().checkpoint ?? old, 2)).toBe(origin(old, 1));
  });

  test('starts intact where the cut fell between the rotation and the first checkpoint by the new key, and makes that at once', async () => {
    await record(await open());
    epoch = 2;
    const again = await open();
    expect(again.status().state).toBe('intact');
    expect(signedBy(again)).toEqual([2]);
    epoch = 3;
    expect((await open()).status().state).toBe('intact');
  });

  test('accepts no checkpoint by a key that was revoked, or that is older than the one before', async () => {
    await record(await open());
    epoch = 2;
    expect((await open({ isPreviousRevoked: true })).status()).toMatchObject({
      state: 'tampered',
      fault: { reason: 'audit-tampered' },
    });
    epoch = 3;
    expect((await open()).status().state).toBe('tampered');
  });

  test('keeps no checkpoint that two keys made together, and is whole again with the next one', async () => {
    let turns = 0;
    const log = await open({
      onSign: () => {
        if (turns === 1) epoch = 2;
        turns += 1;
      },
    });
    await record(log);
    expect(log.status()).toMatchObject({ state: 'degraded', fault: { reason: 'audit-degraded' } });
    expect(signedBy(log)).toEqual([1]);
    await log.tend();
    expect(log.status().state).toBe('intact');
    expect(signedBy(log)).toEqual([2]);
    expect((await open()).status().state).toBe('intact');
  });
});
