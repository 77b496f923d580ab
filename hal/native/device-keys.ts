/** `DeviceKeys` over the sealed secret: unsealed for one operation, derived, used, wiped. */

import { concat, u32be, utf8, wipe } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type HybridSecretKey, hybridPublicKey, hybridSign, hybridSignatureSuites } from '#hal/crypto/suites';
import type { DeviceKeys, HybridPair } from '#hal/ports/device-keys';
import type { KeyClass } from '#protos/gen/types';
import type { DeviceSecret } from './device-secret.ts';

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const salt = utf8('enigm-device-key-1');
const handleBytes = 16;

/** @param unseal gives a fresh copy each time, which is wiped here */
export const sealedDeviceKeys = (crypto: CryptoBackend, unseal: () => Promise<Result<DeviceSecret>>): DeviceKeys => {
  const publicKeys = new Map<KeyClass, HybridPair>();

  const withSecret = async <T>(use: (secret: Uint8Array) => T): Promise<Result<T>> => {
    const unsealed = await unseal();
    if (!unsealed.ok) return unsealed;
    try {
      return ok(use(unsealed.value.secret));
    } finally {
      wipe(unsealed.value.secret);
    }
  };
  const withKey = <T>(keyClass: KeyClass, use: (key: HybridSecretKey) => T): Promise<Result<T>> =>
    withSecret((secret) => {
      const key = {
        suite,
        classical: derive(crypto, secret, `${keyClass} ed25519`),
        postQuantum: derive(crypto, secret, `${keyClass} ml-dsa-65`),
      };
      try {
        return use(key);
      } finally {
        wipe(key.classical, key.postQuantum);
      }
    });

  return {
    async publicKey(keyClass) {
      const known = publicKeys.get(keyClass);
      if (known !== undefined) return ok(known);
      const made = await withKey(keyClass, (key): HybridPair => {
        const { classical, postQuantum } = hybridPublicKey(crypto, key);
        return { classical, postQuantum };
      });
      if (made.ok) publicKeys.set(keyClass, made.value);
      return made;
    },
    sign: (keyClass, message) => withKey(keyClass, (key) => hybridSign(crypto, key, message)),
    handle: (relyingParty, epoch) =>
      withSecret((secret) => {
        const key = derive(crypto, secret, 'handle');
        const party = utf8(relyingParty);
        const handle = crypto.hmac(key, concat(u32be(party.length), party, u32be(epoch))).slice(0, handleBytes);
        wipe(key);
        return handle;
      }),
  };
};

/** HKDF (RFC 5869): one label a key, so no key stands for two purposes. */
export const derive = (crypto: CryptoBackend, secret: Uint8Array, label: string): Uint8Array => {
  const key = crypto.hkdf(secret, salt, utf8(label), 32);
  if (key === undefined) throw new RangeError('32 bytes are within HKDF');
  return key;
};
