/**
 * `DurableStore` in SQLite, which syncs its files by itself.
 *
 * Not temp, fsync and rename: Node's permission model refuses `fsync` to every program that runs under it.
 */
import { DatabaseSync } from 'node:sqlite';
import { attempt, deny, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';

const storageFailed = (cause: string) => deny('unavailable', 'storage-failed', cause);
const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Every page is made anew, by way of memory; then the log of pages goes into the file and is cut to nothing. */
const scrub = (database: DatabaseSync): void => {
  database.exec('PRAGMA temp_store = MEMORY; VACUUM');
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
  if (checkpoint?.['busy'] !== 0) throw new Error('somebody else reads the store');
};

/** @param path a file in a folder that this program may write. @returns the store, or `unavailable/storage-failed` */
export const openDurableStore = (path: string): Result<DurableStore> =>
  attempt(() => {
    const database = new DatabaseSync(path);
    database.exec(schema);
    const select = database.prepare('SELECT value FROM entry WHERE key = ?');
    const upsert = database.prepare(
      'INSERT INTO entry (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
    return {
      get: (key) => attempt(() => select.get(key)?.['value'] as Uint8Array | undefined, storageFailed),
      put: (key, value) => attempt(() => void upsert.run(key, value), storageFailed),
      scrub: () => attempt(() => scrub(database), storageFailed),
      close: () => database.close(),
    };
  }, storageFailed);
