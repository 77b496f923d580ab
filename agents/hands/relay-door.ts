/**
 * What the hands do for the beacon relay: they give it the key under which it keeps its pairing. It asks once, at its
 * start, and needs them no more (SR-11).
 *
 * The key leaves sealed to a public key of that one question: what the frames and sockets of this program leave in its
 * memory opens nothing.
 */
import { wipe } from '#hal/core/bytes';
import { deny, ok } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { StorageKeys } from '#hal/native/device-keys';
import type { Random } from '#hal/ports/random';
import type { Handlers } from '#hal/remote/methods';
import { type RelayMethods, storageKeyBox, storageKeyInfo } from '#hal/remote/relay-methods';

export interface RelayDoorParts {
  readonly keys: StorageKeys;
  readonly crypto: CryptoBackend;
  readonly random: Random;
  /** Before the end of its visit a device may still get another secret. */
  readonly isProvisioned: () => boolean;
}

const none = new Uint8Array();

export const relayDoor = ({ keys, crypto, random, isProvisioned }: RelayDoorParts): Handlers<RelayMethods> => {
  const box = storageKeyBox(crypto, random);
  return {
    'relay.storageKey': async ({ publicKey }) => {
      if (!isProvisioned()) return deny('unavailable', 'not-provisioned');
      const key = await keys.relayStorage();
      if (!key.ok) return key;
      const sealed = box.seal(publicKey, storageKeyInfo, none, key.value);
      wipe(key.value);
      return sealed.ok ? ok({ sealed: sealed.value }) : sealed;
    },
  };
};
