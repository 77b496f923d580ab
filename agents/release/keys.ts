/**
 * Keys of custodians, made and read. A key whose seeds lie in its file in clear is a stick that its owner keeps; one that is
 * sealed opens on one machine, with a PIN. What is signed needs as many owners as its role has custodians. The public half
 * is a file of its own, for the office.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { concat, equalBytes, fixedCopy, toBase64, utf8, wipe } from '#hal/core/bytes';
import { base64, type Decoded, decodeJson, object } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import { nobleCrypto } from '#hal/crypto/noble';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import type { PinVault } from '#hal/ports/pin-vault';
import type { Random } from '#hal/ports/random';
import type { SigningToken, TokenKey } from '#hal/ports/signing-token';
import { type Custodian, type HeldKeys, type Signer, signerWith } from '#ota-client/repository/custodian';
import { custodianName, type KeyFile, type KeyRole, keyFileText, keyRole, readKeyFile, type SealedSeeds } from './key-file.ts';

/** A key at hand. */
export interface CustodianKey {
  readonly role: KeyRole;
  readonly signer: Signer;
}

/** How one gets at what is not in the file, on this machine. */
export interface KeyPlaces {
  token(key: TokenKey): Result<SigningToken>;
  /** @param hasToken the key lies in a token as well, which has a PIN of its own */
  vault(hasToken: boolean): Result<PinVault>;
}

const noPlaces: KeyPlaces = {
  token: () => deny('identity', 'pin-refused', 'the key lies in a token: give its PIN'),
  vault: () => deny('identity', 'pin-refused', 'the key is sealed: give its PIN'),
};

export interface NewKey {
  readonly name: string;
  readonly role: KeyRole;
  /** The classical half is made there. */
  readonly token?: TokenKey | undefined;
  /** What is in no token is sealed by the TPM of this machine. */
  readonly isSealed?: boolean;
}

/** What the office keeps of a custodian. */
export const publicKey = object({ name: custodianName, role: keyRole, classical: base64(32), postQuantum: base64(1952) });
export type PublicKey = Decoded<typeof publicKey>;

/**
 * Noble signs ML-DSA deterministically (FIPS 204 §3.4): the same office gives the same repository, byte for byte.
 * @returns the key; or `protocol/file-unreadable`, `protocol/config-invalid`, and the faults of `places`
 */
export const readKey = (path: string, places = noPlaces): Result<CustodianKey> => {
  const bytes = readThere(path);
  if (!bytes.ok) return bytes;
  const decoded = readKeyFile(bytes.value);
  if (!decoded.ok) return decoded;
  const file = decoded.value;
  const token = file.token === undefined ? ok(undefined) : places.token(file.token);
  if (!token.ok) return token;
  const open = opening(file, places);
  if (!open.ok) return open;
  const held = { token: token.value, open: open.value };
  return ok({ role: file.role, signer: signerWith(nobleCrypto, custodianIn(file), held) });
};

/**
 * The seeds are sealed, and opened again for a try, before a token makes anything: what it made stays there.
 * @returns the key; or `protocol/event-refused` where there is a file already, and the faults of `places`
 */
export const makeKey = async (path: string, key: NewKey, random: Random, places = noPlaces): Promise<Result<CustodianKey>> => {
  const there = readIfThere(path);
  if (!there.ok) return there;
  if (there.value !== undefined) return deny('protocol', 'event-refused', `${path} is there already`);
  const { name, role, token: place, isSealed = false } = key;
  const vault = isSealed ? places.vault(place !== undefined) : ok(undefined);
  if (!vault.ok) return vault;
  const token = place === undefined ? ok(undefined) : places.token(place);
  if (!token.ok) return token;
  const each = Array.from({ length: place === undefined ? 2 : 1 }, () => random.bytes(32));
  const bytes = concat(...each);
  wipe(...each);
  try {
    const seeds = vault.value === undefined ? ok({ kind: 'clear', bytes } as const) : await sealedSeeds(vault.value, bytes);
    if (!seeds.ok) return seeds;
    const made = token.value === undefined ? ok(undefined) : await token.value.make();
    if (!made.ok) return made;
    const inToken = place === undefined || made.value === undefined ? undefined : { ...place, publicKey: made.value };
    const stored = writeAtomically(path, utf8(keyFileText({ name, role, token: inToken, seeds: seeds.value })));
    return stored.ok ? readKey(path, places) : stored;
  } finally {
    wipe(bytes);
  }
};

/** Made where there is none yet. @returns the key under `folder/name.json`, in clear */
export const keyIn = async (folder: string, name: string, role: KeyRole, random: Random): Promise<Result<CustodianKey>> => {
  const path = join(folder, `${name}.json`);
  const bytes = readIfThere(path);
  if (!bytes.ok) return bytes;
  if (bytes.value !== undefined) return readKey(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return makeKey(path, { name, role }, random);
};

const sealedSeeds = async (vault: PinVault, bytes: Uint8Array): Promise<Result<SealedSeeds>> => {
  const sealed = await vault.seal(bytes);
  if (!sealed.ok) return sealed;
  const back = await vault.open(sealed.value);
  if (!back.ok) return back;
  const isSame = equalBytes(back.value, bytes);
  wipe(back.value);
  if (!isSame) return deny('unavailable', 'tpm-failed', 'it gives back something else than it sealed');
  const { ed25519, mlDsa65 } = publicHalves(bytes);
  return ok({ kind: 'sealed', ...sealed.value, ...(ed25519 === undefined ? {} : { ed25519 }), mlDsa65 });
};

const opening = ({ seeds, token }: KeyFile, places: KeyPlaces): Result<HeldKeys['open']> => {
  if (seeds.kind === 'clear') return ok(async () => ok(fixedCopy(seeds.bytes)));
  const vault = places.vault(token !== undefined);
  return vault.ok ? ok(() => vault.value.open(seeds)) : vault;
};

const custodianIn = ({ name, token, seeds }: KeyFile): Custodian => {
  const halves = seeds.kind === 'sealed' ? seeds : publicHalves(seeds.bytes);
  const ed25519 = token?.publicKey ?? halves.ed25519;
  if (ed25519 === undefined) throw new Error('a file without a classical half is not read');
  return { name, ed25519, mlDsa65: halves.mlDsa65 };
};

const publicHalves = (bytes: Uint8Array): { readonly ed25519?: Uint8Array; readonly mlDsa65: Uint8Array } => ({
  ...(bytes.length === 64 ? { ed25519: nobleCrypto.ed25519.publicKey(bytes.subarray(0, 32)) } : {}),
  mlDsa65: nobleCrypto.mlDsa65.publicKey(bytes.subarray(-32)),
});

/** @returns the public half, or a fault as of `readKey` */
const readPublicKey = (path: string): Result<PublicKey> => {
  const bytes = readThere(path);
  return bytes.ok ? decodeJson(Buffer.from(bytes.value).toString('utf8'), publicKey) : bytes;
};

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

const readThere = (path: string): Result<Uint8Array> => {
  const bytes = readIfThere(path);
  return bytes.ok && bytes.value !== undefined ? ok(bytes.value) : deny('protocol', 'file-unreadable', path);
};
