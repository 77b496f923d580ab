/**
 * A small value at rest: ChaCha20-Poly1305 (RFC 8439) under a key that seals nothing else.
 *
 * `mark 16 | salt 32 | ciphertext | tag 16`. HKDF-SHA-256 (RFC 5869) makes that key out of the storage key, the salt and
 * the name of the value; its nonce is zero. A pair of key and nonce comes again only where 256 bits of chance do: no
 * counter has to outlive a crash, and an older file that is put back makes nothing repeat.
 *
 * Limit: an older record of the same name opens as well.
 */
import { concat, utf8, wipe } from '#hal/core/bytes';
import type { Random } from '#hal/ports/random';
import type { CryptoBackend } from './backend.ts';

const mark = utf8('\0enigm-record-1\0');
const saltBytes = 32;
const bodyAt = mark.length + saltBytes;
const nonce = new Uint8Array(12);

/** By its first bytes; no text begins with them. */
export const isSealedRecord = (bytes: Uint8Array): boolean => mark.every((byte, at) => bytes[at] === byte);

/** @param key 32 bytes. @param name of the value: a record opens under its own name alone */
export const sealRecord = (
  crypto: CryptoBackend,
  random: Random,
  key: Uint8Array,
  name: string,
  value: Uint8Array,
): Uint8Array => {
  const salt = random.bytes(saltBytes);
  const recordKey = recordKeyOf(crypto, key, salt, name);
  const body = crypto.chacha20Poly1305.seal(recordKey, nonce, associatedOf(name), value);
  wipe(recordKey);
  return concat(mark, salt, body);
};

/** @returns the value, or undefined for a record of another key or name, a changed one, and anything else */
export const openRecord = (crypto: CryptoBackend, key: Uint8Array, name: string, record: Uint8Array): Uint8Array | undefined => {
  if (!isSealedRecord(record) || record.length < bodyAt) return undefined;
  const recordKey = recordKeyOf(crypto, key, record.subarray(mark.length, bodyAt), name);
  const value = crypto.chacha20Poly1305.open(recordKey, nonce, associatedOf(name), record.subarray(bodyAt));
  wipe(recordKey);
  return value;
};

const associatedOf = (name: string): Uint8Array => concat(mark, utf8(name));

const recordKeyOf = (crypto: CryptoBackend, key: Uint8Array, salt: Uint8Array, name: string): Uint8Array => {
  const made = crypto.hkdf(key, salt, associatedOf(name), 32);
  if (made === undefined) throw new RangeError('32 bytes are within HKDF');
  return made;
};
