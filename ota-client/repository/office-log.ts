/**
 * Who did what when at the publisher: records that are only added, each with the digest of the one before. Whoever owns
 * the store can write the whole chain anew; so its head goes into every request for signatures, and those who sign keep it.
 */
import { toHex, utf8 } from '#hal/core/bytes';
import { type Decoded, integer, text } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { DurableStore } from '#hal/ports/durable-store';
import { canonicalJson } from '#ota-client/trust/canonical';
import { decodeFields, fields } from '#ota-client/trust/fields';
import { parseJson } from '#ota-client/trust/json';

const digest = text(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal');
const position = integer(0, Number.MAX_SAFE_INTEGER);
const logRecord = fields({
  sequence: position,
  atMs: position,
  /** A person, custodians, a device by its handle, or the desk itself. */
  by: text(),
  did: text(/^[a-z-]{1,32}$/, 'a verb'),
  release: text(),
  /** Empty where the verb says all. */
  detail: text(/^.{0,1024}$/su, 'text of at most 1024 characters'),
  /** Digest of the record before; of nothing, zeros. */
  previous: digest,
});
export type LogRecord = Decoded<typeof logRecord>;
export type LogEntry = Omit<LogRecord, 'sequence' | 'previous'>;

const headFields = fields({ sequence: position, digest });
export type LogHead = Decoded<typeof headFields>;

export type LogStore = Pick<DurableStore, 'get' | 'put'>;

export const maxLogRecords = 100_000;
const maxRecordBytes = 8 * 1024;
const headKey = 'office-log';
const recordKey = (sequence: number): string => `office-log/${sequence}`;
const nothing: LogHead = { sequence: 0, digest: '0'.repeat(64) };

/** Written before what it tells of: what was done stands here, at worst twice. @returns the new head; or `resource/count-limit` */
export const appendToLog = (crypto: CryptoBackend, store: LogStore, entry: LogEntry): Result<LogHead> => {
  const before = logHead(store);
  if (!before.ok) return before;
  const sequence = before.value.sequence + 1;
  if (sequence > maxLogRecords) return deny('resource', 'count-limit', `${maxLogRecords} records of the office`);
  const record = decodeFields(logRecord, { ...entry, sequence, previous: before.value.digest }, 'record');
  if (!record.ok) return record;
  const head: LogHead = { sequence, digest: digestOf(crypto, record.value) };
  const stored = store.put(recordKey(sequence), utf8(JSON.stringify(record.value)));
  if (!stored.ok) return stored;
  const moved = store.put(headKey, utf8(JSON.stringify(head)));
  return moved.ok ? ok(head) : moved;
};

export const logHead = (store: LogStore): Result<LogHead> => {
  const bytes = store.get(headKey);
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return ok(nothing);
  const json = parseJson(bytes.value, maxRecordBytes);
  return json.ok ? decodeFields(headFields, json.value, 'head') : json;
};

/** @returns all records, the oldest first; or `integrity/office-log-tampered` at the first that is not what was written */
export const readLog = (crypto: CryptoBackend, store: LogStore): Result<readonly LogRecord[]> => {
  const head = logHead(store);
  if (!head.ok) return head;
  const records: LogRecord[] = [];
  let previous = nothing.digest;
  for (let sequence = 1; sequence <= head.value.sequence; sequence += 1) {
    const bytes = store.get(recordKey(sequence));
    if (!bytes.ok) return bytes;
    const json = parseJson(bytes.value ?? new Uint8Array(), maxRecordBytes);
    const record = json.ok ? decodeFields(logRecord, json.value, 'record') : json;
    if (!record.ok || record.value.sequence !== sequence || record.value.previous !== previous)
      return deny('integrity', 'office-log-tampered', `record ${sequence}`);
    previous = digestOf(crypto, record.value);
    records.push(record.value);
  }
  return previous === head.value.digest ? ok(records) : deny('integrity', 'office-log-tampered', 'the last record');
};

const digestOf = (crypto: CryptoBackend, record: LogRecord): string => toHex(crypto.hash('sha256', canonicalJson(record)));
