import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from 'vitest';
import { testClauses } from '#hal/contract/clauses-test';
import { durableStoreClauses } from '#hal/contract/durable-store';
import { unwrap } from '#hal/core/result';
import { openDurableStore } from '#hal/linux/durable-store';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';

const directory = mkdtempSync(join(tmpdir(), 'enigm-store-'));
afterAll(() => rmSync(directory, { recursive: true }));
const kept = new Map<string, Uint8Array>();

testClauses('DurableStore: linux', durableStoreClauses, async () => unwrap(openDurableStore(join(directory, 'store.db'))));
testClauses('DurableStore: memory', durableStoreClauses, async () => memoryStore(kept));

describe('a store on disk, scrubbed,', () => {
  const random = seededRandom('what is overwritten');
  /** Which files of the store have these bytes in them. */
  const filesWith = (name: string, bytes: Uint8Array): readonly string[] =>
    readdirSync(directory).filter(
      (file) => file.startsWith(name) && readFileSync(join(directory, file)).includes(Buffer.from(bytes)),
    );

  test('has nothing of a value that was overwritten in any of its files, its log of pages included', () => {
    const store = unwrap(openDurableStore(join(directory, 'scrubbed.db')));
    // Of more than a page, of a few bytes, and one that became shorter.
    const secrets = [6000, 40, 300].map((length) => random.bytes(length));
    for (const [index, secret] of secrets.entries()) unwrap(store.put(`value ${index}`, secret));
    for (let index = 0; index < 20; index += 1) unwrap(store.put(`neighbour ${index}`, random.bytes(100)));
    for (const [index] of secrets.entries()) unwrap(store.put(`value ${index}`, random.bytes(60)));
    // As after a time in which the log of pages went into the file by itself.
    const beside = new DatabaseSync(join(directory, 'scrubbed.db'));
    beside.exec('PRAGMA wal_checkpoint(FULL)');
    beside.close();
    const places = secrets.flatMap((secret) => filesWith('scrubbed.db', secret.subarray(-24)));
    expect(new Set(places)).toEqual(new Set(['scrubbed.db', 'scrubbed.db-wal']));
    unwrap(store.scrub());
    for (const secret of secrets)
      for (let at = 0; at + 24 <= secret.length; at += 8)
        expect(filesWith('scrubbed.db', secret.subarray(at, at + 24))).toEqual([]);
    store.close();
  });

  test('says that it is not where somebody holds the log of pages open', () => {
    const path = join(directory, 'held.db');
    const store = unwrap(openDurableStore(path));
    const secret = random.bytes(40);
    unwrap(store.put('value', secret));
    const reader = new DatabaseSync(path, { readOnly: true });
    reader.exec('BEGIN; SELECT * FROM entry;');
    unwrap(store.put('value', random.bytes(40)));
    expect(store.scrub()).toMatchObject({ fault: { category: 'unavailable', reason: 'storage-failed' } });
    reader.close();
    unwrap(store.scrub());
    expect(filesWith('held.db', secret)).toEqual([]);
    store.close();
  });
});
