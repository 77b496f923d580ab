/**
 * The two files between a publisher's office and its custodians, who sit at other machines: a request with all that is
 * to be signed, and the signatures of one custodian. Both are JSON; binary is base64.
 */
import { toBase64, toHex, utf8 } from '#hal/core/bytes';
import { base64, type Decoded, type Decoder, integer, list, object, oneOf, optional, someBase64, text } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { decodeFields } from '#ota-client/trust/fields';
import { type JsonObject, parseJson } from '#ota-client/trust/json';
import { bundleClasses } from '#ota-client/trust/release';
import type { CustodianSignature } from './custodian.ts';
import { listOf, type MetadataItem, rootOf, type SigningItem } from './signing-item.ts';

export interface SigningRequest {
  /** What the signatures are for: a release by its id, or `founding`. */
  readonly release: string;
  /** Digest of the last record of the office log, in hexadecimal: kept, it shows later whether that log was written anew. */
  readonly logHead: string;
  readonly items: readonly SigningItem[];
}

export interface SignatureFile {
  /** SHA-256 of the request, in hexadecimal. */
  readonly request: string;
  /** One for each item that this custodian may sign; by its place in the request. */
  readonly signatures: readonly (CustodianSignature & { readonly item: number })[];
}

export const maxRequestBytes = 4 * 1024 * 1024;
const maxItems = 16;
const maxFileBytes = 256 * 1024;
const maxMetadataBytes = 1024 * 1024;
const requestFormat = 'enigm-signing-request-1';
const signatureFormat = 'enigm-signatures-1';

const digest = text(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal');
const custodianName = text(/^[a-z0-9][a-z0-9-]{0,63}$/, 'the name of a custodian');
const roles = [...bundleClasses, 'root', 'targets'] as const;

const item = object({
  kind: oneOf('statement', 'metadata'),
  role: oneOf(...roles),
  payload: optional(base64(140)),
  hardware: optional(text(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'a hardware class')),
  signed: optional(someBase64(maxMetadataBytes)),
  files: optional(list(object({ path: text(), bytes: someBase64(maxFileBytes) }), 8)),
});
const request = object({
  format: oneOf(requestFormat),
  release: text(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'an id of a release'),
  logHead: digest,
  items: list(item, maxItems),
});
const signatureFile = object({
  format: oneOf(signatureFormat),
  request: digest,
  name: custodianName,
  signatures: list(object({ item: integer(0, maxItems - 1), classical: base64(64), postQuantum: base64(3309) }), maxItems),
});

export const encodeRequest = ({ release, logHead, items }: SigningRequest): Uint8Array =>
  written({ format: requestFormat, release, logHead, items: items.map(itemJson) });

/** @returns the request, its metadata read strictly; or `protocol/too-large`, `malformed`, `field-invalid`, `resource/count-limit` */
export const decodeRequest = (bytes: Uint8Array): Result<SigningRequest> => {
  const decoded = read(bytes, request, 'request');
  if (!decoded.ok) return decoded;
  const items: SigningItem[] = [];
  for (const encoded of decoded.value.items) {
    const opened = itemOf(encoded);
    if (!opened.ok) return opened;
    items.push(opened.value);
  }
  return ok({ release: decoded.value.release, logHead: decoded.value.logHead, items });
};

/** What two people compare over the telephone: that they look at the same request. */
export const requestDigest = (crypto: CryptoBackend, bytes: Uint8Array): string => toHex(crypto.hash('sha256', bytes));

/** @param signatures all of one custodian */
export const encodeSignatures = (requested: string, name: string, signatures: SignatureFile['signatures']): Uint8Array =>
  written({
    format: signatureFormat,
    request: requested,
    name,
    signatures: signatures.map(({ item: at, classical, postQuantum }) => ({
      item: at,
      classical: toBase64(classical),
      postQuantum: toBase64(postQuantum),
    })),
  });

/** @returns the signatures, none of them verified; or a fault as of `decodeRequest` */
export const decodeSignatures = (bytes: Uint8Array): Result<SignatureFile> => {
  const decoded = read(bytes, signatureFile, 'signatures');
  if (!decoded.ok) return decoded;
  const { name, signatures } = decoded.value;
  return ok({ request: decoded.value.request, signatures: signatures.map((signature) => ({ name, ...signature })) });
};

const written = (json: unknown): Uint8Array => utf8(`${JSON.stringify(json)}\n`);

const read = <T>(bytes: Uint8Array, decode: Decoder<T>, what: string): Result<T> => {
  const json = parseJson(bytes, maxRequestBytes);
  return json.ok ? decodeFields(decode, json.value, what) : json;
};

const itemJson = (item: SigningItem) =>
  item.kind === 'statement'
    ? { kind: item.kind, role: item.role, payload: toBase64(item.payload), hardware: item.hardware }
    : {
        kind: item.kind,
        role: item.role,
        signed: toBase64(utf8(JSON.stringify(item.signed))),
        files: item.files.map(({ path, bytes }) => ({ path, bytes: toBase64(bytes) })),
      };

const itemOf = ({ kind, role, payload, hardware, signed, files = [] }: Decoded<typeof item>): Result<SigningItem> => {
  if (kind === 'statement')
    return payload === undefined || hardware === undefined || role === 'root' || role === 'targets'
      ? deny('protocol', 'field-invalid', 'a statement without payload, hardware or class')
      : ok({ kind, role, payload, hardware });
  return signed === undefined ? deny('protocol', 'field-invalid', 'metadata without content') : metadataOf(role, signed, files);
};

/** Read as a device would read it, so that what is shown is what a device will see. */
const metadataOf = (role: MetadataItem['role'], bytes: Uint8Array, files: MetadataItem['files']): Result<MetadataItem> => {
  const json = parseJson(bytes, maxMetadataBytes);
  if (!json.ok) return json;
  const signed = json.value as JsonObject;
  const content = role === 'root' ? rootOf({ signed }) : listOf({ signed });
  return content.ok ? ok({ kind: 'metadata', role, version: content.value.version, signed, files }) : content;
};
