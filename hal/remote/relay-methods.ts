/** The door of the hands to the beacon relay. */
import { utf8 } from '#hal/core/bytes';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type Hpke, hpke, hpkeKemIds } from '#hal/crypto/hpke';
import { xWing } from '#hal/crypto/xwing';
import type { Random } from '#hal/ports/random';
import type { Methods } from '#hal/remote/methods';

export const relayMethods = {
  /** The key of what the relay keeps, sealed to the one who asks. It is always the same, and nothing changes. */
  'relay.storageKey': { request: 'StorageKeyRequest', reply: 'StorageKey' },
} as const satisfies Methods;

export type RelayMethods = typeof relayMethods;

/** What both sides put into the sealing. */
export const storageKeyInfo = utf8('enigm-relay-storage-1');

export const storageKeyBox = (crypto: CryptoBackend, random: Random): Hpke =>
  hpke(crypto, hpkeKemIds.mlkem768X25519, xWing(crypto, random));
