/**
 * Keys of TUF metadata (TUF 1.0 §4.2.1; keyids as TAP 12 has them: any text, so a key is known by its bytes).
 *
 * A scheme names one key type, one encoding and one way to verify. A key of a scheme that this client does not know is
 * left out, so that a root may bring a new algorithm; a key whose encoding is not the one of its scheme is refused.
 * tuf-js 6.0.2 accepts ML-DSA and Ed448 keys that are declared as `ed25519`.
 */
import { concat, fromHex, toHex, u8, utf8 } from '#hal/core/bytes';
import { type Decoder, optional, text } from '#hal/core/config';
import { ok } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { anyObject, fields, record } from './fields.ts';
import type { JsonObject } from './json.ts';
import { maxKeys } from './limits.ts';
import { keyFromPem, pemOfKey } from './pem.ts';

export type KeyClass = 'classical' | 'post-quantum';

export interface KeyScheme {
  readonly scheme: string;
  readonly keytypes: readonly string[];
  readonly keyClass: KeyClass;
  /** @returns the key's bytes in their one form, undefined where the text is not a key of this scheme */
  readPublic(text: string): Uint8Array | undefined;
  /** @param canonical the canonical JSON of the signed part */
  verify(crypto: CryptoBackend, publicKey: Uint8Array, canonical: Uint8Array, signature: Uint8Array): boolean;
}

export interface Key {
  readonly scheme: KeyScheme;
  readonly publicKey: Uint8Array;
  /** Who holds it (SR-09): signed with the rest of the key. */
  readonly custodian: string | undefined;
}

export type ReceivedKey = Key | 'unknown-scheme' | 'refused';
export type KeyRing = ReadonlyMap<string, ReceivedKey>;

export const custodianField = 'x-enigm-custodian';

const ed25519Bytes = 32;
/** TUF 1.0 §4.2.1: 64 hexadecimal digits. Other clients also take PEM here; we publish and take one form. */
export const ed25519: KeyScheme = {
  scheme: 'ed25519',
  keytypes: ['ed25519'],
  keyClass: 'classical',
  readPublic(text) {
    const key = fromHex(text);
    return key?.length === ed25519Bytes ? key : undefined;
  },
  verify: (crypto, publicKey, canonical, signature) => crypto.ed25519.verify(publicKey, canonical, signature),
};

/** RFC 9881 §4: SEQUENCE { SEQUENCE { OID 2.16.840.1.101.3.4.3.18 }, BIT STRING of 1952 bytes }. */
const mlDsa65Prefix = new Uint8Array(Buffer.from('308207b2300b0609608648016503040312038207a100', 'hex'));
const mlDsa65Bytes = 1952;

/** TAP 21 (draft of 2026-04-30), version 1. Ours alone is parameter set 65; another set is a scheme we do not know. */
export const mlDsa65: KeyScheme = {
  scheme: 'ml-dsa-65/1',
  keytypes: ['ml-dsa'],
  keyClass: 'post-quantum',
  readPublic: (text) => keyFromPem(text, mlDsa65Prefix, mlDsa65Bytes),
  verify: (crypto, publicKey, canonical, signature) =>
    crypto.mlDsa65.verify(publicKey, mlDsaSignedBytes(crypto, canonical), signature),
};

/** TAP 21, "Signature generation": `tuf`, the version, SHA-512 of the canonical JSON; signed with an empty context. */
export const mlDsaSignedBytes = (crypto: CryptoBackend, canonical: Uint8Array): Uint8Array =>
  concat(utf8('tuf'), u8(1), crypto.hash('sha512', canonical));

/** What a device understands; the executable for the conformance suite adds others. */
export const deviceSchemes: readonly KeyScheme[] = [ed25519, mlDsa65];

/** The two keys of one custodian as metadata writes them. */
export const ed25519Json = (publicKey: Uint8Array, custodian: string) => ({
  keytype: 'ed25519',
  scheme: ed25519.scheme,
  keyval: { public: toHex(publicKey) },
  [custodianField]: custodian,
});

export const mlDsa65Json = (publicKey: Uint8Array, custodian: string) => ({
  keytype: 'ml-dsa',
  scheme: mlDsa65.scheme,
  keyval: { public: pemOfKey(publicKey, mlDsa65Prefix) },
  [custodianField]: custodian,
});

const keyFields = fields({
  keytype: text(),
  scheme: text(),
  keyval: anyObject,
  [custodianField]: optional(text(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'a name of a custodian')),
});

/** What a key of a scheme that is not known has here, nobody can say. */
const publicText = (keyval: JsonObject): string => {
  const text = Object.hasOwn(keyval, 'public') ? keyval['public'] : '';
  return typeof text === 'string' && text.length <= maxPublicCharacters ? text : '';
};
const maxPublicCharacters = 16_384;

const receivedKey =
  (schemes: readonly KeyScheme[]): Decoder<ReceivedKey> =>
  (value, path) => {
    const decoded = keyFields(value, path);
    if (!decoded.ok) return decoded;
    const { keytype, scheme: name, keyval } = decoded.value;
    const scheme = schemes.find((known) => known.scheme === name);
    if (scheme === undefined) return ok('unknown-scheme');
    const publicKey = scheme.keytypes.includes(keytype) ? scheme.readPublic(publicText(keyval)) : undefined;
    return ok(publicKey === undefined ? 'refused' : { scheme, publicKey, custodian: decoded.value[custodianField] });
  };

export const keyRing = (schemes: readonly KeyScheme[]): Decoder<KeyRing> => record(receivedKey(schemes), maxKeys);
