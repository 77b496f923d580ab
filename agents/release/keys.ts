/**
 * Keys of custodians in files, one a custodian: for a publisher that has nothing better. They lie there in clear, so the
 * folder is a stick that its owner keeps; what is signed with them needs as many owners as its class has custodians.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64, toBase64, utf8 } from '#hal/core/bytes';
import { decodeJson, object, text } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import { type HybridSecretKey, hybridSignatureSuites } from '#hal/crypto/suites';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import type { Random } from '#hal/ports/random';

export interface NamedSecret {
  readonly name: string;
  readonly secret: HybridSecretKey;
}

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const seed = text(/^[A-Za-z0-9+/]{43}=$/, 'base64 of 32 bytes');
const keyFile = object({
  name: text(/^[a-z0-9][a-z0-9-]{0,63}$/, 'the name of a custodian'),
  classical: seed,
  postQuantum: seed,
});

/** @returns the key, or `protocol/file-unreadable`, `protocol/config-invalid` */
export const readKey = (path: string): Result<NamedSecret> => {
  const bytes = readIfThere(path);
  if (!bytes.ok || bytes.value === undefined) return deny('protocol', 'file-unreadable', path);
  const decoded = decodeJson(Buffer.from(bytes.value).toString('utf8'), keyFile);
  if (!decoded.ok) return decoded;
  const { name, classical, postQuantum } = decoded.value;
  const seedOf = (encoded: string) => fromBase64(encoded) ?? new Uint8Array();
  return ok({ name, secret: { suite, classical: seedOf(classical), postQuantum: seedOf(postQuantum) } });
};

/** Made where there is none yet. @returns the key under `folder/name.json` */
export const keyIn = (folder: string, name: string, random: Random): Result<NamedSecret> => {
  const path = join(folder, `${name}.json`);
  const bytes = readIfThere(path);
  if (!bytes.ok) return bytes;
  if (bytes.value !== undefined) return readKey(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const made = { name, classical: toBase64(random.bytes(32)), postQuantum: toBase64(random.bytes(32)) };
  const stored = writeAtomically(path, utf8(`${JSON.stringify(made)}\n`));
  return stored.ok ? readKey(path) : stored;
};
