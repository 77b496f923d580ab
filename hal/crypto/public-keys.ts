/** Imported public keys, because importing one costs OpenSSL 35 to 50 µs. Never for secret keys. */
import type { KeyObject } from 'node:crypto';

export type ImportedKey = (bytes: Uint8Array, importKey: () => KeyObject | undefined) => KeyObject | undefined;

/** Keeps the `limit` keys used last, found by their exact bytes; a key that was refused is not kept. */
export const publicKeyCache = (limit: number): ImportedKey => {
  const kept = new Map<string, KeyObject>();
  return (bytes, importKey) => {
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const key = kept.get(name) ?? importKey();
    if (key === undefined) return undefined;
    kept.delete(name);
    kept.set(name, key);
    const [oldest] = kept.keys();
    if (kept.size > limit && oldest !== undefined) kept.delete(oldest);
    return key;
  };
};
