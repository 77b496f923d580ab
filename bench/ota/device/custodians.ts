/** The public keys of who signs a release, in a file. */
import { readFileSync } from 'node:fs';
import { fromHex, toHex } from '#hal/core/bytes';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';

export const writtenCustodians = (keys: readonly HybridPublicKey[]): string =>
  JSON.stringify(keys.map(({ classical, postQuantum }) => [toHex(classical), toHex(postQuantum)]));

export const readCustodians = (path: string): readonly HybridPublicKey[] =>
  (JSON.parse(readFileSync(path, 'utf8')) as [string, string][]).map(([classical, postQuantum]) => ({
    suite: hybridSignatureSuites['enigm-ed25519-mldsa65'],
    classical: fromHex(classical) ?? new Uint8Array(),
    postQuantum: fromHex(postQuantum) ?? new Uint8Array(),
  }));
