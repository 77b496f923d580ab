/**
 * The place of a device in the rollout of one release (SR-21): HMAC(handle key, release id), committed in evidence, so
 * that it is not rolled again for the same release and says nothing about another one.
 */
import { utf8 } from '#hal/core/bytes';
import type { CryptoBackend } from '#hal/crypto/backend';

/** @returns a whole number below 2^32 */
export const rolloutBucket = (crypto: CryptoBackend, handleKey: Uint8Array, releaseId: string): number => {
  const mac = crypto.hmac(handleKey, utf8('enigm-rollout-1'), utf8(releaseId));
  return new DataView(mac.buffer, mac.byteOffset).getUint32(0, false);
};

/** @param permille how many of a thousand devices the release is offered to */
export const isInRollout = (bucket: number, permille: number): boolean => Math.floor((bucket * 1000) / 2 ** 32) < permille;
