/** The four kinds of TUF metadata (TUF 1.0 §4): read, not verified. What is verified are the bytes in `SignedPart`. */
import { fromHex } from '#hal/core/bytes';
import { boolean, type Decoded, type Decoder, integer, list, optional, text } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import { canonicalJson } from './canonical.ts';
import { hashes, length } from './content.ts';
import { delegations } from './delegations.ts';
import { anyObject, decodeFields, fields, record } from './fields.ts';
import { type JsonObject, parseJson } from './json.ts';
import { type KeyScheme, keyRing } from './keys.ts';
import { maxMetaFiles, maxSignatures, maxTargets, metadataBytes, type RoleType } from './limits.ts';
import { anyText, roleKeys } from './role-keys.ts';
import { instantOf } from './time.ts';

/** What the signatures cover, and the signatures. */
export interface SignedPart {
  readonly canonical: Uint8Array;
  /** By key id. */
  readonly signatures: ReadonlyMap<string, Uint8Array>;
}

/** Metadata as it was received. */
export interface Read<T> {
  readonly signed: SignedPart;
  readonly content: T;
}

const version = integer(1, Number.MAX_SAFE_INTEGER);

export const instant: Decoder<number> = (value, path = '') => {
  const timeMs = typeof value === 'string' ? instantOf(value) : undefined;
  return timeMs === undefined ? deny('protocol', 'field-invalid', `${path}: expected YYYY-MM-DDTHH:MM:SSZ`) : ok(timeMs);
};

/** TUF 1.0 §4.3, SPEC_VERSION: we match the major version. */
const header = (type: RoleType) => ({
  _type: text(new RegExp(`^${type}$`), type),
  spec_version: text(/^1\.\d{1,4}(?:\.\d{1,4})?$/, 'version 1 of the specification'),
  version,
  expires: instant,
});

/** Where a root says which rule its signatures follow (SR-09). */
export const ruleField = 'x-enigm-hybrid';

const root = (schemes: readonly KeyScheme[]) =>
  fields({
    ...header('root'),
    consistent_snapshot: optional(boolean),
    keys: keyRing(schemes),
    roles: fields({ root: roleKeys, timestamp: roleKeys, snapshot: roleKeys, targets: roleKeys }),
    [ruleField]: optional(anyText),
  });
export type Root = Decoded<ReturnType<typeof root>>;
export type TopRole = keyof Root['roles'];

/** What one file says of another (TUF 1.0 §4.4, METAFILES). */
const metaFile = fields({ version, length: optional(length), hashes: optional(hashes) });
export type MetaFile = Decoded<typeof metaFile>;

const timestamp = fields({ ...header('timestamp'), meta: fields({ 'snapshot.json': metaFile }) });
export type Timestamp = Decoded<typeof timestamp>;

const snapshot = fields({ ...header('snapshot'), meta: record(metaFile, maxMetaFiles) });
export type Snapshot = Decoded<typeof snapshot>;

const targetFile = fields({ length, hashes, custom: optional(anyObject) });
export type TargetFile = Decoded<typeof targetFile>;

const targets = (schemes: readonly KeyScheme[]) =>
  fields({
    ...header('targets'),
    targets: record(targetFile, maxTargets),
    delegations: optional(delegations(schemes)),
  });
export type Targets = Decoded<ReturnType<typeof targets>>;

/** One spelling of each signature: no bit of a file may change without notice. An empty one is a place for one (TUF on CI). */
const hexadecimal = text(/^(?:[0-9a-f]{2}){0,8192}$/, 'a signature in lower-case hexadecimal');

const envelope = fields({
  signatures: list(fields({ keyid: anyText, sig: hexadecimal }), maxSignatures),
  signed: anyObject,
});

/** TUF 1.0 §4.2: the key id is unique among the signatures. */
const openEnvelope = (bytes: Uint8Array, maxBytes: number): Result<{ readonly part: SignedPart; readonly json: JsonObject }> => {
  const json = parseJson(bytes, maxBytes);
  if (!json.ok) return json;
  const opened = decodeFields(envelope, json.value, 'metadata');
  if (!opened.ok) return opened;
  const signatures = new Map(opened.value.signatures.map(({ keyid, sig }) => [keyid, fromHex(sig) ?? none]));
  if (signatures.size < opened.value.signatures.length) return deny('protocol', 'field-invalid', 'two signatures of one key id');
  return ok({ part: { canonical: canonicalJson(opened.value.signed), signatures }, json: opened.value.signed });
};
const none = new Uint8Array();

const reader =
  <T>(type: RoleType, decoder: (schemes: readonly KeyScheme[]) => Decoder<T>) =>
  /** @returns what was read, or `protocol/too-large`, `malformed`, `field-invalid`, `resource/count-limit` */
  (bytes: Uint8Array, schemes: readonly KeyScheme[]): Result<Read<T>> => {
    const opened = openEnvelope(bytes, metadataBytes[type]);
    if (!opened.ok) return opened;
    const content = decodeFields(decoder(schemes), opened.value.json, type);
    return content.ok ? ok({ signed: opened.value.part, content: content.value }) : content;
  };

export const readRoot = reader('root', root);
export const readTimestamp = reader('timestamp', () => timestamp);
export const readSnapshot = reader('snapshot', () => snapshot);
export const readTargets = reader('targets', targets);
