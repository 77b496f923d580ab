/** One release at the publisher, and where its record is kept. */
import { utf8 } from '#hal/core/bytes';
import { boolean, type Decoded, integer, list, oneOf, text } from '#hal/core/config';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import { anyObject, decodeFields, fields } from '#ota-client/trust/fields';
import { parseJson } from '#ota-client/trust/json';
import { bundleClasses } from '#ota-client/trust/release';
import { type ReleaseState, releases } from './release-table.ts';

const releaseId = text(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'an id of a release');
const person = text(/^[a-z0-9][a-z0-9.@-]{0,63}$/, 'a name');
const maxEntries = 256;
/** So many devices are counted on which one release failed; a rollout halts by then. */
export const maxFailedDevices = 256;
const maxRecordBytes = 1024 * 1024;

const entry = fields({
  path: text(/^[a-z-]+\/[^/]{1,255}$/, 'class/name'),
  length: integer(0, Number.MAX_SAFE_INTEGER),
  sha256: text(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal'),
  custom: anyObject,
});

const record = fields({
  id: releaseId,
  class: oneOf(...bundleClasses),
  state: oneOf(...(Object.keys(releases) as ReleaseState[])),
  author: person,
  reviewers: list(person, 16),
  /** What is signed beside its targets: counter, floor epoch, hardware. */
  custom: anyObject,
  /** None yet where a statement must be signed before its target exists. */
  entries: list(entry, maxEntries),
  permille: integer(0, 1000),
  /** Handles of devices on which it failed. */
  failedOn: list(text(), maxFailedDevices),
  /** Of a revoked one: whether releases for its hardware must stand on a higher floor from now on (SR-08). */
  raisesFloor: boolean,
});
export type ReleaseRecord = Decoded<typeof record>;

type Store = Pick<DurableStore, 'get' | 'put'>;

/** @returns the record, or `unavailable/not-found` */
export const loadRelease = (store: Store, id: string): Result<ReleaseRecord> => {
  const bytes = store.get(`release/${id}`);
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return deny('unavailable', 'not-found', id);
  const json = parseJson(bytes.value, maxRecordBytes);
  return json.ok ? decodeFields(record, json.value, 'release') : json;
};

/** @returns the record, or `protocol/field-invalid` for one that could not be read again */
export const checkRelease = (release: ReleaseRecord): Result<ReleaseRecord> => decodeFields(record, release, 'release');

/** @returns the record as it is kept from now on, or a fault of `checkRelease` */
export const saveRelease = (store: Store, release: ReleaseRecord): Result<ReleaseRecord> => {
  const checked = checkRelease(release);
  if (!checked.ok) return checked;
  const stored = store.put(`release/${release.id}`, utf8(JSON.stringify(release)));
  if (!stored.ok) return stored;
  const indexed = addToIndex(store, release.id);
  return indexed.ok ? ok(release) : indexed;
};

/** Whether its draft was ever finished: a cut may leave a record that the index does not name, and then it never was. */
export const isKnown = (store: Store, id: string): Result<boolean> => {
  const ids = index(store);
  return ids.ok ? ok(ids.value.includes(id)) : ids;
};

/** All releases, in the order in which they were drafted. */
export const allReleases = (store: Store): Result<readonly ReleaseRecord[]> => {
  const ids = index(store);
  if (!ids.ok) return ids;
  const found: ReleaseRecord[] = [];
  for (const id of ids.value) {
    const release = loadRelease(store, id);
    if (!release.ok) return release;
    found.push(release.value);
  }
  return ok(found);
};

const indexKey = 'releases';

const index = (store: Store): Result<readonly string[]> => {
  const bytes = store.get(indexKey);
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return ok([]);
  const json = parseJson(bytes.value, maxRecordBytes);
  return json.ok ? decodeFields(list(releaseId, 4096), json.value, 'releases') : json;
};

/** After the record itself, so that what the index names is there. */
const addToIndex = (store: Store, id: string): Result<void> => {
  const ids = index(store);
  if (!ids.ok) return ids;
  return ids.value.includes(id) ? done : store.put(indexKey, utf8(JSON.stringify([...ids.value, id])));
};
