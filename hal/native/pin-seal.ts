/**
 * A secret that opens with a PIN, on the TPM that sealed it and on no other. Wrong PINs count against the protection that
 * every TPM has against guesses (TPM 2.0 Part 1 §19.8): too many, and it takes none for a while, whoever asks.
 *
 * The PIN never crosses the bus, and the secret only encrypted (§19.6, §21). The root of storage is compared with the one
 * that sealed before anything is salted with it, so nobody on the bus can put a key of his own in its place.
 */
import { createHash } from 'node:crypto';
import { equalBytes, fixedCopy, utf8, wipe } from '#hal/core/bytes';
import { isPin, maxPinBytes } from '#hal/core/pin';
import { deny, type Failure, ok, type Result } from '#hal/core/result';
import type { PinSealed } from '#hal/ports/pin-vault';
import { encodePublic, parsePublic, tpm2b } from '#hal/tpm/public';
import { guardedTemplate } from '#hal/tpm/templates';
import { contentOf } from '#hal/tpm/wire';
import { splitAreas, type WrappedAreas } from './areas.ts';
import { handles } from './commands.ts';
import { encryptedSession } from './encrypted-session.ts';
import type { Esys } from './esys.ts';
import { checkGuessLimit } from './guess-limit.ts';
import { persistent } from './layout.ts';
import { exists } from './persistent-key.ts';
import { sealUnder, storageRootOf } from './seal.ts';
import { isTpmError, tpmResult } from './tpm-error.ts';
import { transientScope } from './transient.ts';

/** Two seeds of 32 bytes; TPMs seal at most 128 (MAX_SYM_DATA, Part 2 §11.1.14). */
export const maxSealedBytes = 64;

/** Makes the storage root first where the TPM has none. @returns the sealed form, or the faults of `PinVault.seal` */
export const sealWithPin = async (esys: Esys, secret: Uint8Array, pin: Uint8Array): Promise<Result<PinSealed>> => {
  if (secret.length === 0 || secret.length > maxSealedBytes) throw new RangeError(`${secret.length} bytes to seal`);
  if (!isPin(pin)) return noPin;
  const sealed = await tpmResult(seal(esys, secret, pin));
  return sealed.ok ? sealed.value : sealed;
};

const seal = async (esys: Esys, secret: Uint8Array, pin: Uint8Array): Promise<Result<PinSealed>> => {
  const limited = await checkGuessLimit(esys);
  if (!limited.ok) return limited;
  const found = await answered(storageRootOf(esys), ownerOnlyBy);
  if (!found.ok) return found;
  const parent = found.value;
  const root = contentOf(await esys.nameOf(parent));
  const auth = authOf(pin);
  try {
    return ok({ root, wrapped: await sealUnder(esys, parent, guardedTemplate, secret, auth) });
  } finally {
    wipe(auth);
  }
};

/** @returns the secret, or the faults of `PinVault.open` */
export const unsealWithPin = async (esys: Esys, { root, wrapped }: PinSealed, pin: Uint8Array): Promise<Result<Uint8Array>> => {
  if (!isPin(pin)) return noPin;
  const areas = splitAreas(wrapped);
  if (areas === undefined || !isGuarded(areas)) return spoilt('not the areas of a secret under a PIN');
  const opened = await tpmResult(unseal(esys, root, areas, pin));
  if (!opened.ok || !opened.value.ok) return opened.ok ? opened.value : opened;
  const secret = contentOf(opened.value.value);
  wipe(opened.value.value);
  return ok(secret);
};

const unseal = async (esys: Esys, root: Uint8Array, areas: WrappedAreas, pin: Uint8Array): Promise<Result<Uint8Array>> => {
  if (!(await exists(esys, persistent.storageRoot))) return elsewhere('this TPM has no storage root');
  const parent = await esys.handleOf(persistent.storageRoot, []);
  // ESYS computes the name from the public area that it will salt sessions with; it is not the word of who answered.
  if (!equalBytes(contentOf(await esys.nameOf(parent)), root)) return elsewhere('this TPM has another storage root');
  await using scope = await transientScope(esys);
  const loaded = await answered(esys.load(parent, [handles.password], areas.privateArea, areas.publicArea), spoiltBy);
  if (!loaded.ok) return loaded;
  const object = scope.keep(loaded.value);
  const auth = authOf(pin);
  const sized = tpm2b(auth);
  try {
    await esys.setAuth(object, sized);
  } finally {
    wipe(auth, sized);
  }
  const session = scope.keep(await encryptedSession(esys, parent, 'encrypt'));
  return await answered(esys.unseal(object, [session]), pinRefusedBy);
};

/** Of any length within that of the authorization value, which is at most a digest of the name's algorithm (Part 2 §10.5.2). */
const authOf = (pin: Uint8Array): Uint8Array => {
  const digest = createHash('sha256').update(utf8('enigm-pin-1')).update(pin).digest();
  const auth = fixedCopy(digest);
  wipe(digest);
  return auth;
};

/** What `sealWithPin` makes, and not an object without protection. */
const isGuarded = ({ publicArea }: WrappedAreas): boolean => {
  const parsed = parsePublic(publicArea.subarray(2));
  if (!parsed.ok || parsed.value.key.type !== 'keyedHash') return false;
  return equalBytes(publicArea, tpm2b(encodePublic({ ...guardedTemplate, key: parsed.value.key })));
};

const noPin = deny('identity', 'pin-refused', `a PIN of 1 to ${maxPinBytes} bytes`);
const elsewhere = (why: string) => deny('unavailable', 'sealed-elsewhere', why);
const spoilt = (why: string) => deny('integrity', 'decryption-failed', why);

/** A format-one code that is about a parameter (Part 2 §6.6.3): the areas are all that could be wrong. */
const spoiltBy = (rc: number): Failure | undefined =>
  rc <= 0xfff && (rc & 0xc0) === 0xc0 ? spoilt(`the TPM does not take it (0x${rc.toString(16)})`) : undefined;

/** TPM_RC_BAD_AUTH of the first session: the owner hierarchy has a password. */
const ownerOnlyBy = (rc: number): Failure | undefined =>
  rc === 0x9a2 ? deny('unavailable', 'tpm-failed', 'no storage root at 0x81000001, and its owner alone can make one') : undefined;

/** TPM_RC_AUTH_FAIL of the first session: the failure was counted. */
const pinRefusedBy = (rc: number): Failure | undefined =>
  rc === 0x98e ? deny('identity', 'pin-refused', 'the TPM counts wrong PINs') : undefined;

/** A command whose refusal may say something; what says nothing is thrown on. */
const answered = async <T>(command: Promise<T>, meaning: (rc: number) => Failure | undefined): Promise<Result<T>> => {
  try {
    return ok(await command);
  } catch (error) {
    const refusal = isTpmError(error) ? meaning(error.rc) : undefined;
    if (refusal === undefined) throw error;
    return refusal;
  }
};
