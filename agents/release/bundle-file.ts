/**
 * The file of a class that is no image: an encoded message, or the same as JSON, in which bytes are `hex:…`; a grant is
 * JSON of its own. It is read here as a device will read it.
 */
import { decodeBundle, type ManagedClass, managedClasses } from '#agents/policy/bundles';
import { fromHex } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { readGrant } from '#ota-client/trust/field-grant';
import { type Json, parseJson } from '#ota-client/trust/json';
import type { BundleClass } from '#ota-client/trust/release';

export interface BundleFile {
  /** As it is published. */
  readonly bytes: Uint8Array;
  /** The number that a device compares lies in the file as well; undefined where the class has none. */
  readonly version: number | undefined;
}

const messages = {
  policy: 'PolicyBundle',
  configuration: 'ConfigurationBundle',
  apps: 'AppManifest',
  models: 'DetectionModel',
} as const;

const maxJsonBytes = 1024 * 1024;
/** `{`: in an encoded message a field with the wire type of a group, which ours do not have. */
const brace = 0x7b;

/** @returns the file; or `protocol/malformed`, `field-invalid`, `config-invalid` for what is no message of its class */
export const readBundleFile = (name: BundleClass, file: Uint8Array): Result<BundleFile> => {
  if (name === 'grants') return readGrantFile(file);
  if (!hasMessage(name)) return ok({ bytes: file, version: undefined });
  const bytes = file[0] === brace ? encodedFromJson(name, file) : ok(file);
  if (!bytes.ok) return bytes;
  const version = versionOf(name, bytes.value);
  return version.ok ? ok({ bytes: bytes.value, version: version.value }) : version;
};

const readGrantFile = (bytes: Uint8Array): Result<BundleFile> => {
  const grant = readGrant(bytes);
  return grant.ok ? ok({ bytes, version: grant.value.version }) : grant;
};

const hasMessage = (name: BundleClass): name is keyof typeof messages => Object.hasOwn(messages, name);

const encodedFromJson = (name: keyof typeof messages, file: Uint8Array): Result<Uint8Array> => {
  const json = parseJson(file, maxJsonBytes);
  if (!json.ok) return json;
  const given = revived(json.value);
  const bytes = attempt(
    () => encodeMessage(messages[name], given as never),
    (cause) => deny('protocol', 'config-invalid', cause),
  );
  if (!bytes.ok) return bytes;
  const read = decodeMessage(messages[name], bytes.value);
  if (!read.ok) return read;
  const stray = strayName(given, read.value);
  return stray === undefined ? bytes : deny('protocol', 'config-invalid', `${messages[name]} has no ${stray}`);
};

/** A name that was written and not read: a mistake that would be published as silence. */
const strayName = (given: unknown, read: unknown): string | undefined => {
  if (!isRecord(given)) return undefined;
  for (const [name, value] of Object.entries(given)) {
    if (!isRecord(read) || !Object.hasOwn(read, name)) return name;
    const within = strayName(value, read[name]);
    if (within !== undefined) return `${name}.${within}`;
  }
  return undefined;
};

/** Lists too: their names are places. Bytes have none. */
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array);

const revived = (json: Json): unknown => {
  if (typeof json === 'string' && json.startsWith('hex:')) return fromHex(json.slice('hex:'.length)) ?? json;
  if (Array.isArray(json)) return json.map(revived);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, revived(value as Json)]));
};

const versionOf = (name: keyof typeof messages, payload: Uint8Array): Result<number> => {
  if (isManaged(name)) {
    const bundle = decodeBundle({ kind: name, payload });
    return bundle.ok ? ok(bundle.value.value.version) : bundle;
  }
  const model = decodeMessage('DetectionModel', payload);
  return model.ok ? ok(model.value.version) : model;
};

const isManaged = (name: BundleClass): name is ManagedClass => (managedClasses as readonly string[]).includes(name);
