/** The one hash bin that a path falls into (TAP 15, succinct hash bin delegations). */
import { utf8 } from '#hal/core/bytes';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { DelegatedRole, HashBins } from './delegations.ts';

/**
 * The first `bit_length` bits of the SHA-256 of the path are the bin's number, written with as many hexadecimal digits
 * as the last bin needs. A bin has the last word on its paths.
 */
export const binOf = (crypto: CryptoBackend, bins: HashBins, path: string): DelegatedRole => {
  const { keyids, threshold, bit_length: bits, name_prefix: prefix } = bins;
  const [a = 0, b = 0, c = 0, d = 0] = crypto.hash('sha256', utf8(path));
  const number = ((a << 24) | (b << 16) | (c << 8) | d) >>> (32 - bits);
  const name = `${prefix}-${number.toString(16).padStart(Math.ceil(bits / 4), '0')}`;
  return { name, keyids, threshold, terminating: true, paths: undefined, path_hash_prefixes: undefined };
};
