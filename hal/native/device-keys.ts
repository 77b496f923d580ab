/** `DeviceKeys` over the sealed secret: unsealed for the operations that are asked for together, derived, used, wiped. */

import { concat, u32be, utf8, wipe } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type HybridSecretKey, hybridPublicKey, hybridSign, hybridSignatureSuites } from '#hal/crypto/suites';
import type { DeviceKeys, HybridPair, SigningClass } from '#hal/ports/device-keys';
import type { DeviceSecret } from './device-secret.ts';

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const salt = utf8('enigm-device-key-1');
const handleBytes = 16;

/** Keys for what lies on the disk of this device. No door of the mind leads to them. */
export interface StorageKeys {
  /** 32 bytes, the same ones each time: for what the beacon relay keeps. The caller wipes them. */
  relayStorage(): Promise<Result<Uint8Array>>;
}

/** Which key of a class is in use. */
export type EpochOf = (keyClass: SigningClass) => Result<number>;

/** Of a device whose keys never were rotated. */
const firstEpoch: EpochOf = () => ok(1);

export interface DeviceKeysOptions {
  readonly epochOf?: EpochOf;
  /** Has the runtime give back what it imported: a key that was used is then in no memory any more. */
  readonly collect?: () => void;
}

interface Asked {
  answer(unsealed: Result<DeviceSecret>): void;
  fail(error: unknown): void;
}

/** @param unseal gives a fresh copy each time, which is wiped here */
export const sealedDeviceKeys = (
  crypto: CryptoBackend,
  unseal: () => Promise<Result<DeviceSecret>>,
  { epochOf = firstEpoch, collect = () => {} }: DeviceKeysOptions = {},
): DeviceKeys & StorageKeys => {
  const publicKeys = new Map<string, HybridPair>();

  /** Who waits for the secret: one unsealing, which costs far more than what is done with it, is for all who asked by then. */
  let asked: Asked[] = [];
  const unsealForAll = async (): Promise<void> => {
    const [outcome] = await Promise.allSettled([unseal()]);
    const answered = asked;
    asked = [];
    for (const { answer, fail } of answered) outcome.status === 'fulfilled' ? answer(outcome.value) : fail(outcome.reason);
    if (outcome.status === 'rejected' || !outcome.value.ok) return;
    wipe(outcome.value.value.secret);
    collect();
  };
  const withSecret = <T>(use: (secret: Uint8Array) => T): Promise<Result<T>> => {
    const { promise, resolve, reject } = Promise.withResolvers<Result<T>>();
    // To the end at once, before the secret is wiped: it waits for nothing.
    const used = async (unsealed: Result<DeviceSecret>) => (unsealed.ok ? ok(use(unsealed.value.secret)) : unsealed);
    asked.push({ answer: (unsealed) => resolve(used(unsealed)), fail: reject });
    if (asked.length === 1) void unsealForAll();
    return promise;
  };
  const withKey = <T>(keyClass: SigningClass, epoch: number, use: (key: HybridSecretKey) => T): Promise<Result<T>> =>
    withSecret((secret) => {
      const key = {
        suite,
        classical: derive(crypto, secret, labelOf(keyClass, 'ed25519', epoch)),
        postQuantum: derive(crypto, secret, labelOf(keyClass, 'ml-dsa-65', epoch)),
      };
      try {
        return use(key);
      } finally {
        wipe(key.classical, key.postQuantum);
      }
    });

  return {
    async publicKey(keyClass, named) {
      const epoch = named === undefined ? epochOf(keyClass) : ok(named);
      if (!epoch.ok) return epoch;
      const name = `${keyClass} ${epoch.value}`;
      const known = publicKeys.get(name);
      if (known !== undefined) return ok(known);
      const made = await withKey(keyClass, epoch.value, (key): HybridPair => {
        const meanwhile = publicKeys.get(name);
        if (meanwhile !== undefined) return meanwhile;
        const { classical, postQuantum } = hybridPublicKey(crypto, key);
        return { classical, postQuantum };
      });
      if (made.ok) publicKeys.set(name, made.value);
      return made;
    },
    async sign(keyClass, message) {
      const epoch = epochOf(keyClass);
      return epoch.ok ? withKey(keyClass, epoch.value, (key) => hybridSign(crypto, key, message)) : epoch;
    },
    handle: (relyingParty, epoch) =>
      withSecret((secret) => {
        const key = derive(crypto, secret, 'handle');
        const party = utf8(relyingParty);
        const handle = crypto.hmac(key, concat(u32be(party.length), party, u32be(epoch))).slice(0, handleBytes);
        wipe(key);
        return handle;
      }),
    relayStorage: () => withSecret((secret) => derive(crypto, secret, relayStorageLabel)),
  };
};

export const relayStorageLabel = 'relay storage';

/** The first epoch has no number: it is older than epochs are. */
export const labelOf = (keyClass: SigningClass, algorithm: 'ed25519' | 'ml-dsa-65', epoch: number): string =>
  `${keyClass} ${algorithm}${epoch === 1 ? '' : ` ${epoch}`}`;

/** HKDF (RFC 5869): one label a key, so no key stands for two purposes. */
export const derive = (crypto: CryptoBackend, secret: Uint8Array, label: string): Uint8Array => {
  const key = crypto.hkdf(secret, salt, utf8(label), 32);
  if (key === undefined) throw new RangeError('32 bytes are within HKDF');
  return key;
};
