/** How the relay gets the key of what it keeps: one question to the hands, on a connection that ends with it. */

import { fixedBytes, wipe } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Random } from '#hal/ports/random';
import { type RelayMethods, relayMethods, storageKeyBox, storageKeyInfo } from '#hal/remote/relay-methods';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';

const keyBytes = 32;
const none = fixedBytes(0);

/** @returns 32 bytes, a refusal of the hands, `unavailable/program-down`, or `integrity/decryption-failed` */
export const askStorageKey =
  (crypto: CryptoBackend, random: Random, path: string) =>
  async (signal: AbortSignal): Promise<Result<Uint8Array>> => {
    const box = storageKeyBox(crypto, random);
    const seed = random.bytes(box.kem.seedBytes);
    const hands: SocketClient<RelayMethods> = socketClient(relayMethods, path);
    try {
      const answer = await hands.call('relay.storageKey', { publicKey: box.kem.publicKey(seed) }, { signal });
      if (!answer.ok) return answer;
      const key = box.open(seed, storageKeyInfo, none, answer.value.sealed);
      if (!key.ok) return key;
      return key.value.length === keyBytes ? ok(key.value) : deny('protocol', 'malformed', 'storage key');
    } finally {
      hands.close();
      wipe(seed);
    }
  };
