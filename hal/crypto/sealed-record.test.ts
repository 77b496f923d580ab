import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '#hal/core/bytes';
import { seededRandom } from '#hal/memory/random';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import { isSealedRecord, openRecord, sealRecord } from './sealed-record.ts';

const key = new Uint8Array(32).fill(7);
const value = utf8('what nobody else may read');
const random = seededRandom('records');
const sealed = () => sealRecord(nodeCrypto, random, key, 'a-name', value);

describe('a sealed record', () => {
  test('opens under its key and name, by both back ends', () => {
    const record = sealed();
    expect(isSealedRecord(record)).toBe(true);
    for (const backend of [nodeCrypto, nobleCrypto]) expect(openRecord(backend, key, 'a-name', record)).toEqual(value);
    expect(Buffer.from(record).includes(Buffer.from(value))).toBe(false);
  });

  test('opens under no other key, and under no other name', () => {
    const record = sealed();
    expect(openRecord(nodeCrypto, key.with(0, 0), 'a-name', record)).toBeUndefined();
    expect(openRecord(nodeCrypto, key, 'another-name', record)).toBeUndefined();
  });

  test('does not open where one bit of it is another, wherever it is, nor where it is cut or longer', () => {
    const record = sealed();
    for (let at = 0; at < record.length; at += 1) {
      const changed = record.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(openRecord(nodeCrypto, key, 'a-name', changed), `byte ${at}`).toBeUndefined();
    }
    for (const length of [0, 16, 48, 63, record.length - 1])
      expect(openRecord(nodeCrypto, key, 'a-name', record.subarray(0, length))).toBeUndefined();
    expect(openRecord(nodeCrypto, key, 'a-name', Buffer.concat([record, record]))).toBeUndefined();
  });

  test('is another one each time, in its salt and in all that follows', () => {
    const records = Array.from({ length: 50 }, () => toHex(sealed()));
    expect(new Set(records.map((record) => record.slice(32, 96))).size).toBe(50);
    expect(new Set(records.map((record) => record.slice(96))).size).toBe(50);
  });

  test('is told from what was kept in clear', () => {
    expect(isSealedRecord(utf8('{"staticSecret":"x:00"}'))).toBe(false);
    expect(isSealedRecord(new Uint8Array())).toBe(false);
  });
});
