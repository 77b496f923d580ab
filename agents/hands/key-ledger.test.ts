import { beforeEach, describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { codeOf, ok, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto as crypto } from '#hal/crypto/node';
import { deviceKeyId, followSuccessions } from '#hal/crypto/succession';
import { memoryStore } from '#hal/memory/durable-store';
import { sealedDeviceKeys } from '#hal/native/device-keys';
import type { DeviceKeys } from '#hal/ports/device-keys';
import { epochIn, type KeyLedger } from '#hal/ports/key-ledger';
import { storedEpochs, storedKeyLedger } from './key-ledger.ts';

const keyId = (digit: number) => new Uint8Array(32).fill(digit);
const outcome = (result: Result<unknown>) => (result.ok ? 'done' : codeOf(result.fault));

describe('the ledger of keys', () => {
  let disk: Map<string, Uint8Array>;
  let keys: DeviceKeys;
  let ledger: KeyLedger;
  const start = () => {
    const store = memoryStore(disk);
    const unseal = async () => ok({ secret: new Uint8Array(32).fill(7), counterBase: 1 });
    keys = sealedDeviceKeys(crypto, unseal, { epochOf: storedEpochs(store) });
    ledger = storedKeyLedger(store, keys, crypto);
  };
  beforeEach(() => {
    disk = new Map();
    start();
  });
  const rotate = async (epoch: number, successor?: Uint8Array) => {
    const key = unwrap(await keys.publicKey('audit', epoch));
    return outcome(await ledger.rotate({ keyClass: 'audit', epoch, successor: successor ?? deviceKeyId(crypto, key) }));
  };
  const inUse = async () => toHex(unwrap(await keys.publicKey('audit')).classical);

  test('gives a class another pair, which signs from then on, also after a restart; other classes keep theirs', async () => {
    const report = toHex(unwrap(await keys.publicKey('report')).classical);
    const seen = new Set([await inUse()]);
    for (const epoch of [2, 3]) {
      expect(await rotate(epoch)).toBe('done');
      start();
      seen.add(await inUse());
      const message = new Uint8Array([epoch]);
      const { classical } = unwrap(await keys.sign('audit', message));
      expect(crypto.ed25519.verify(unwrap(await keys.publicKey('audit', epoch)).classical, message, classical)).toBe(true);
      expect(crypto.ed25519.verify(unwrap(await keys.publicKey('audit', 1)).classical, message, classical)).toBe(false);
    }
    expect(seen.size).toBe(3);
    expect(toHex(unwrap(await keys.publicKey('report')).classical)).toBe(report);
  });

  test('keeps what each old key signed of the next one', async () => {
    const first = unwrap(await keys.publicKey('audit'));
    await rotate(2);
    await rotate(3);
    const { successions } = epochIn(unwrap(ledger.read()), 'audit');
    const last = deviceKeyId(crypto, unwrap(await keys.publicKey('audit')));
    expect(unwrap(followSuccessions(crypto, successions, first, last))).toHaveLength(3);
  });

  test('refuses any epoch but the next one, and any key but the one that it makes', async () => {
    const before = await inUse();
    expect(await rotate(1)).toBe('protocol/field-invalid');
    expect(await rotate(3)).toBe('protocol/field-invalid');
    expect(await rotate(2, keyId(9))).toBe('protocol/field-invalid');
    expect(outcome(await ledger.rotate({ keyClass: 'audit', epoch: 2 }))).toBe('protocol/field-invalid');
    expect(await inUse()).toBe(before);
    expect(outcome(await ledger.rotate({ keyClass: 'handle', epoch: 2 }))).toBe('done');
  });

  test('ends after its last epoch, and says so', async () => {
    for (let epoch = 2; epoch <= 32; epoch += 1) expect(outcome(await ledger.rotate({ keyClass: 'handle', epoch }))).toBe('done');
    expect(outcome(await ledger.rotate({ keyClass: 'handle', epoch: 33 }))).toBe('resource/count-limit');
  });

  test('never forgets a revocation: not in a restart, not when a key is rotated', async () => {
    expect(outcome(ledger.revoke({ keyClass: 'issuer', keyId: keyId(1) }))).toBe('done');
    expect(outcome(ledger.revoke({ keyClass: 'issuer', keyId: keyId(1) }))).toBe('done');
    await rotate(2);
    start();
    expect(unwrap(ledger.read()).revoked.map((one) => toHex(one.keyId))).toEqual([toHex(keyId(1))]);
  });

  test('has a limit of revocations, and refuses one more', () => {
    for (let count = 0; count < 256; count += 1)
      expect(outcome(ledger.revoke({ keyClass: 'issuer', keyId: new Uint8Array(32).fill(1).with(0, count) }))).toBe('done');
    expect(outcome(ledger.revoke({ keyClass: 'account', keyId: keyId(2) }))).toBe('resource/count-limit');
  });

  test('signs nothing where it cannot be read: no key is in use by a guess', async () => {
    disk.set('key-ledger', new Uint8Array([0xff]));
    expect(outcome(await keys.sign('audit', new Uint8Array(1)))).toBe('unavailable/storage-failed');
    expect(outcome(await keys.publicKey('audit'))).toBe('unavailable/storage-failed');
    expect(outcome(ledger.revoke({ keyClass: 'issuer', keyId: keyId(1) }))).toBe('unavailable/storage-failed');
  });
});
