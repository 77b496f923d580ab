/**
 * Keys of custodians, one file a custodian: its name, the role that it signs for, and two secrets, of which the classical
 * one may lie in a PKCS #11 token instead. What is in the file lies there in clear, so it is a stick that its owner
 * keeps; what is signed with it needs as many owners as its role has custodians. The public half is a file of its own,
 * for the office.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { toBase64, utf8 } from '#hal/core/bytes';
import { base64, type Decoded, decodeJson, object, oneOf, optional, text } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import { nobleCrypto } from '#hal/crypto/noble';
import { hybridSignatureSuites } from '#hal/crypto/suites';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import type { Random } from '#hal/ports/random';
import type { SigningToken, TokenKey } from '#hal/ports/signing-token';
import { type Custodian, type Signer, signerFromSecret, signerWithToken } from '#ota-client/repository/custodian';
import { officeRoles } from '#ota-client/repository/signing-item';

/** Of an office, or of a technician: no role of an office, and believed only under a grant. */
export const keyRoles = [...officeRoles, 'technician'] as const;
export type KeyRole = (typeof keyRoles)[number];

/** A key at hand. */
export interface CustodianKey {
  readonly role: KeyRole;
  readonly signer: Signer;
}

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const custodianName = text(/^[a-z0-9][a-z0-9-]{0,63}$/, 'the name of a custodian');
const keyFile = object({
  name: custodianName,
  role: oneOf(...keyRoles),
  classical: optional(base64(32)),
  token: optional(object({ module: text(), token: text(), key: text(), publicKey: base64(32) })),
  postQuantum: base64(32),
});

/** How a token is reached, where this machine has one. */
export type OpenToken = (key: TokenKey) => Result<SigningToken>;

const noTokens: OpenToken = () => deny('identity', 'pin-refused', 'the key lies in a token: give its PIN');

/** What the office keeps of a custodian. */
export const publicKey = object({
  name: custodianName,
  role: oneOf(...keyRoles),
  classical: base64(32),
  postQuantum: base64(1952),
});
export type PublicKey = Decoded<typeof publicKey>;

/**
 * Noble signs ML-DSA deterministically (FIPS 204 §3.4): the same office gives the same repository, byte for byte.
 * @returns the key; or `protocol/file-unreadable`, `protocol/config-invalid`, and the faults of `openToken`
 */
export const readKey = (path: string, openToken = noTokens): Result<CustodianKey> => {
  const decoded = readJson(path, keyFile);
  if (!decoded.ok) return decoded;
  const { name, role, classical, token, postQuantum } = decoded.value;
  if (classical !== undefined && token === undefined)
    return ok({ role, signer: signerFromSecret(nobleCrypto, name, { suite, classical, postQuantum }) });
  if (token === undefined || classical !== undefined)
    return deny('protocol', 'config-invalid', `${path}: expected either classical or token`);
  const opened = openToken(token);
  return opened.ok
    ? ok({ role, signer: signerWithToken(nobleCrypto, name, opened.value, token.publicKey, postQuantum) })
    : opened;
};

/** @returns the public half, or a fault as of `readKey` */
const readPublicKey = (path: string): Result<PublicKey> => readJson(path, publicKey);

/** All of them, or the fault of the first that cannot be read. */
export const readPublicKeys = (paths: readonly string[]): Result<readonly PublicKey[]> => {
  const keys: PublicKey[] = [];
  for (const path of paths) {
    const key = readPublicKey(path);
    if (!key.ok) return key;
    keys.push(key.value);
  }
  return ok(keys);
};

/** @returns `protocol/event-refused` where there is a file already */
export const makeKey = (path: string, name: string, role: KeyRole, random: Random): Result<CustodianKey> => {
  const bytes = readIfThere(path);
  if (!bytes.ok) return bytes;
  if (bytes.value !== undefined) return deny('protocol', 'event-refused', `${path} is there already`);
  const made = { name, role, classical: toBase64(random.bytes(32)), postQuantum: toBase64(random.bytes(32)) };
  const stored = writeAtomically(path, utf8(`${JSON.stringify(made)}\n`));
  return stored.ok ? readKey(path) : stored;
};

/** The classical half in a token, made there; the other half in the file. @returns as `makeKey` */
export const makeTokenKey = async (
  path: string,
  name: string,
  role: KeyRole,
  random: Random,
  place: TokenKey,
  openToken: OpenToken,
): Promise<Result<CustodianKey>> => {
  const bytes = readIfThere(path);
  if (!bytes.ok) return bytes;
  if (bytes.value !== undefined) return deny('protocol', 'event-refused', `${path} is there already`);
  const opened = openToken(place);
  if (!opened.ok) return opened;
  const publicHalf = await opened.value.make();
  if (!publicHalf.ok) return publicHalf;
  const { module, token, key } = place;
  const made = {
    ...{ name, role, token: { module, token, key, publicKey: toBase64(publicHalf.value) } },
    postQuantum: toBase64(random.bytes(32)),
  };
  const stored = writeAtomically(path, utf8(`${JSON.stringify(made)}\n`));
  return stored.ok ? readKey(path, openToken) : stored;
};

/** Made where there is none yet. @returns the key under `folder/name.json` */
export const keyIn = (folder: string, name: string, role: KeyRole, random: Random): Result<CustodianKey> => {
  const path = join(folder, `${name}.json`);
  const bytes = readIfThere(path);
  if (!bytes.ok) return bytes;
  if (bytes.value !== undefined) return readKey(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return makeKey(path, name, role, random);
};

export const publicKeyOf = ({ role, signer }: CustodianKey): PublicKey => ({
  name: signer.name,
  role,
  classical: signer.ed25519,
  postQuantum: signer.mlDsa65,
});

export const publicKeyJson = ({ name, role, classical, postQuantum }: PublicKey) => ({
  name,
  role,
  classical: toBase64(classical),
  postQuantum: toBase64(postQuantum),
});

export const custodianOf = ({ name, classical, postQuantum }: PublicKey): Custodian => ({
  name,
  ed25519: classical,
  mlDsa65: postQuantum,
});

const readJson = <T>(path: string, decode: Parameters<typeof decodeJson<T>>[1]): Result<T> => {
  const bytes = readIfThere(path);
  if (!bytes.ok || bytes.value === undefined) return deny('protocol', 'file-unreadable', path);
  return decodeJson(Buffer.from(bytes.value).toString('utf8'), decode);
};
