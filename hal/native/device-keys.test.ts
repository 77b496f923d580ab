import { beforeEach, describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, ok, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto as crypto } from '#hal/crypto/node';
import { sealedDeviceKeys } from './device-keys.ts';
import type { DeviceSecret } from './device-secret.ts';

const value = new Uint8Array(32).fill(7);

describe('keys from the sealed secret', () => {
  /** Every copy that was given out. */
  let given: Uint8Array[];
  let collected: number;
  let next: (() => Promise<Result<DeviceSecret>>) | undefined;
  const unseal = async (): Promise<Result<DeviceSecret>> => {
    if (next !== undefined) return next();
    const secret = value.slice();
    given.push(secret);
    await Promise.resolve();
    return ok({ secret, counterBase: 1 });
  };
  let keys: ReturnType<typeof sealedDeviceKeys>;
  beforeEach(() => {
    given = [];
    collected = 0;
    next = undefined;
    keys = sealedDeviceKeys(crypto, unseal, {
      collect: () => {
        collected += 1;
      },
    });
  });
  const publicOnes = (from: typeof keys) => [from.publicKey('audit'), from.publicKey('audit'), from.publicKey('report')];
  const secretOnes = (from: typeof keys) => [from.handle('one', 1), from.handle('other', 1), from.relayStorage()];
  const allAtOnce = async () => {
    const signed = keys.sign('audit', value);
    const [pairs, secrets] = await Promise.all([Promise.all(publicOnes(keys)), Promise.all(secretOnes(keys))]);
    return { pairs: pairs.map(unwrap), secrets: secrets.map(unwrap), signed: unwrap(await signed) };
  };

  test('are unsealed once for all that is asked for together, and the same as one by one', async () => {
    const { pairs, secrets, signed } = await allAtOnce();
    expect(given).toHaveLength(1);
    const alone = sealedDeviceKeys(crypto, unseal);
    expect(unwrap(await alone.publicKey('audit'))).toEqual(pairs[0]);
    expect(unwrap(await alone.publicKey('report'))).toEqual(pairs[2]);
    expect(unwrap(await alone.handle('other', 1))).toEqual(secrets[1]);
    expect(unwrap(await alone.relayStorage())).toEqual(secrets[2]);
    expect(pairs.map(({ classical }) => crypto.ed25519.verify(classical, value, signed.classical))).toEqual([true, true, false]);
    expect(pairs.map(({ postQuantum }) => crypto.mlDsa65.verify(postQuantum, value, signed.postQuantum))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('leave no secret behind: wiped and collected once all have used it', async () => {
    await allAtOnce();
    expect(given.map(toHex)).toEqual(['00'.repeat(32)]);
    expect(collected).toBe(1);
  });

  test('are unsealed anew for whoever asks later, also in the turn in which others get theirs', async () => {
    let later: Promise<unknown> | undefined;
    await keys.handle('one', 1).then(() => {
      later = keys.handle('one', 1);
    });
    await later;
    expect(given.map(toHex)).toEqual(['00'.repeat(32), '00'.repeat(32)]);
  });

  test('are refused to all where the TPM refuses, and given again when it does not', async () => {
    next = async () => deny('unavailable', 'tpm-failed');
    const refused = await Promise.all([keys.handle('one', 1), keys.publicKey('audit'), keys.relayStorage()]);
    expect(refused.map((one) => !one.ok && codeOf(one.fault))).toEqual(Array(3).fill('unavailable/tpm-failed'));
    next = async () => Promise.reject(new Error('a defect'));
    const failed = await Promise.allSettled([keys.handle('one', 1), keys.publicKey('audit')]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(collected).toBe(0);
    next = undefined;
    expect((await keys.handle('one', 1)).ok).toBe(true);
  });

  test('answer the others where one use of the secret is a defect', async () => {
    const [long, other] = await Promise.allSettled([keys.sign('nobody' as 'audit', undefined as never), keys.handle('one', 1)]);
    expect([long.status, other.status]).toEqual(['rejected', 'fulfilled']);
    expect(given.map(toHex)).toEqual(['00'.repeat(32)]);
  });
});
