/** Length and hashes of a file that metadata names (TUF 1.0 §4.4, §4.5). */
import { toHex } from '#hal/core/bytes';
import { type Decoder, integer, text } from '#hal/core/config';
import { deny, ok } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { record } from './fields.ts';
import { maxHashes } from './limits.ts';

export type Hashes = ReadonlyMap<string, string>;

const knownHashes = ['sha256', 'sha384', 'sha512'] as const;

/** At least one must be of an algorithm that is known here: otherwise nothing would be checked. */
export const hashes: Decoder<Hashes> = (value, path = '') => {
  const decoded = record(text(/^[0-9a-f]{2,256}$/, 'a hash in lower-case hexadecimal'), maxHashes)(value, path);
  if (!decoded.ok) return decoded;
  return knownHashes.some((name) => decoded.value.has(name))
    ? ok(decoded.value)
    : deny('protocol', 'field-invalid', `${path}: expected a hash of ${knownHashes.join(', ')}`);
};

export const length: Decoder<number> = integer(0, Number.MAX_SAFE_INTEGER);

/** Every hash of a known algorithm, not just one of them. */
export const matchesHashes = (crypto: CryptoBackend, bytes: Uint8Array, expected: Hashes): boolean =>
  knownHashes.every((name) => {
    const hash = expected.get(name);
    return hash === undefined || toHex(crypto.hash(name, bytes)) === hash;
  });

/** The same algorithms with the same values, known or not. */
export const equalHashes = (a: Hashes, b: Hashes): boolean =>
  a.size === b.size && [...a].every(([name, hash]) => b.get(name) === hash);
