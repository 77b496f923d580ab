/**
 * Where the audit log lies: leaves, tree nodes and checkpoints in SQLite.
 *
 * One transaction a group of appends (WAL, synchronous FULL): an append is acknowledged after its commit, so nothing
 * acknowledged is lost to a kill or a power cut.
 */
import { renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { equalBytes } from '#hal/core/bytes';
import { attempt, deny, done, ok, type Result } from '#hal/core/result';
import { appendLeaf, leafHash, type NodeSource } from '#hal/crypto/merkle';
import { kinds } from '#protos/kinds';

export interface StoredLeaf {
  readonly index: number;
  /** Absent after its retention: only the hash stays. */
  readonly record?: Uint8Array;
  readonly hash: Uint8Array;
}

export interface AuditStore {
  size(): number;
  /** Records whose body is still there. */
  kept(): number;
  readonly nodes: NodeSource;
  /** Appends all records in one durable transaction. @returns the index of the first */
  append(records: readonly NewLeaf[]): Result<number>;
  /** Of the first `size` positions those that can be a leaf: a row that somebody else made is left out. */
  leaves(from: number, count: number): readonly StoredLeaf[];
  saveCheckpoint(size: number, note: Uint8Array): Result<void>;
  /** The newest checkpoint, only the last few are kept; undefined too where what lies there can be none. */
  checkpoint(): { readonly size: number; readonly note: Uint8Array } | undefined;
  /**
   * Recomputes every hash of every leaf and node.
   * @returns nothing, or `integrity/audit-tampered` naming the first that differs, or why the database does not read it
   */
  verify(): Result<void>;
  /** Drops the bodies of records whose time of keeping ended before `nowMs`. @returns how many */
  prune(nowMs: number): Result<number>;
  close(): void;
}

export interface NewLeaf {
  readonly record: Uint8Array;
  /** Wall time after which only the hash is kept; Infinity for never. */
  readonly keepUntilMs: number;
}

/** A start looks at the newest; the others are for whoever looks at the database after an accident. */
const keptCheckpoints = 16;
/** Rows read at a time while verifying: memory stays small whatever the size of the log. */
const verifyBatch = 1024;
const hashBytes = 32;
/** Several times the longest that the schema of a record lets be: a page of the log then fits in one message. */
const maxRecordBytes = 4096;
/** As messages take one: kind `checkpoint`. */
const maxNoteBytes = kinds.checkpoint.most;

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS leaf (position INTEGER PRIMARY KEY, hash BLOB NOT NULL, record BLOB, keep_until INTEGER) STRICT;
  CREATE TABLE IF NOT EXISTS node (level INTEGER, position INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, position)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS checkpoint (size INTEGER, note BLOB NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS leaf_keep_until ON leaf (keep_until) WHERE record IS NOT NULL AND keep_until IS NOT NULL;
`;

/** @returns the store, or `unavailable/storage-failed` */
export const openAuditStore = (path: string): Result<AuditStore> =>
  attempt(
    () => openStore(path),
    (cause) => deny('unavailable', 'storage-failed', cause),
  );

/**
 * As `openAuditStore`; a file that is no log is put aside, under `path` with the instant behind it, and a new log begun: the mind
 * starts, and where the TPM has counted a checkpoint it says that the log is tampered with (SR-14).
 *
 * @returns the store, and where the file went that was there; or `unavailable/storage-failed`
 */
export const openAuditStoreOrAnew = (
  path: string,
  nowMs: number,
): Result<{ readonly store: AuditStore; readonly putAside?: string }> =>
  attempt(
    () => {
      try {
        return { store: openStore(path) };
      } catch (error) {
        if (!isNoLog.has((error as { readonly errcode?: number }).errcode ?? 0)) throw error;
      }
      const putAside = `${path}.${nowMs}`;
      renameSync(path, putAside);
      // They are of what was there: a new database must not be read together with them.
      for (const rest of ['-wal', '-shm']) rmSync(`${path}${rest}`, { force: true });
      return { store: openStore(path), putAside };
    },
    (cause) => deny('unavailable', 'storage-failed', cause),
  );

/** Other tables than ours, SQLITE_CORRUPT, SQLITE_NOTADB. A full or failing medium is no reason to put a log aside. */
const isNoLog: ReadonlySet<number> = new Set([1, 11, 26]);

const openStore = (path: string): AuditStore => {
  const database = new DatabaseSync(path);
  database.exec(schema);
  const countLeaves = database.prepare('SELECT COUNT(*) AS count FROM leaf');
  const countKept = database.prepare('SELECT COUNT(*) AS count FROM leaf WHERE record IS NOT NULL');
  const insertLeaf = database.prepare('INSERT INTO leaf (position, hash, record, keep_until) VALUES (?, ?, ?, ?)');
  const insertNode = database.prepare('INSERT INTO node (level, position, hash) VALUES (?, ?, ?)');
  const selectNode = database.prepare('SELECT hash FROM node WHERE level = ? AND position = ?');
  const selectLeaves = database.prepare(`SELECT position, hash, record FROM leaf
    WHERE position >= ? AND position < ? AND typeof(hash) = 'blob' AND length(hash) = ${hashBytes}
    AND (record IS NULL OR typeof(record) = 'blob' AND length(record) <= ${maxRecordBytes}) ORDER BY position LIMIT ?`);
  const insertCheckpoint = database.prepare('INSERT INTO checkpoint (size, note) VALUES (?, ?)');
  const selectCheckpoint = database.prepare('SELECT size, note FROM checkpoint ORDER BY rowid DESC LIMIT 1');
  // A number too large for a double is refused below; as a double it would be a throw.
  selectCheckpoint.setReadBigInts(true);
  const dropCheckpoints = database.prepare('DELETE FROM checkpoint WHERE rowid <= (SELECT MAX(rowid) FROM checkpoint) - ?');
  const dropBodies = database.prepare('UPDATE leaf SET record = NULL WHERE record IS NOT NULL AND keep_until < ?');

  let size = Number(countLeaves.get()?.['count'] ?? 0);
  let kept = Number(countKept.get()?.['count'] ?? 0);
  const storageFailed = (cause: string) => deny('unavailable', 'storage-failed', cause);
  const nodes: NodeSource = (level, index) => {
    const hash = selectNode.get(level, index)?.['hash'];
    if (!isHash(hash)) throw new Error(`audit tree: no node ${level}/${index}`);
    return hash;
  };
  const verifyAll = (): Result<void> => {
    const tampered = (detail: string) => deny('integrity', 'audit-tampered', detail);
    const fresh = new Map<string, Uint8Array>();
    const freshNodes: NodeSource = (level, index) => fresh.get(`${level}/${index}`) as Uint8Array;
    for (let from = 0; from < size; from += verifyBatch) {
      const rows = selectLeaves.all(from, size, verifyBatch);
      for (let index = from; index < Math.min(size, from + verifyBatch); index += 1) {
        const row = rows[index - from];
        if (row === undefined || Number(row['position']) !== index) return tampered(`record ${index} is missing`);
        const hash = row['hash'] as Uint8Array;
        if (row['record'] !== null && !equalBytes(leafHash(row['record'] as Uint8Array), hash))
          return tampered(`record ${index}`);
        for (const node of appendLeaf(freshNodes, index, hash)) {
          const stored = selectNode.get(node.level, node.index)?.['hash'];
          if (!isHash(stored) || !equalBytes(stored, node.hash)) return tampered(`node ${node.level}/${node.index}`);
          fresh.set(`${node.level}/${node.index}`, node.hash);
          if (node.level > 0) {
            fresh.delete(`${node.level - 1}/${node.index * 2}`);
            fresh.delete(`${node.level - 1}/${node.index * 2 + 1}`);
          }
        }
      }
    }
    return done;
  };

  return {
    size: () => size,
    kept: () => kept,
    nodes,
    append(records) {
      const first = size;
      const stored = attempt(() => {
        database.exec('BEGIN IMMEDIATE');
        try {
          for (const [offset, { record, keepUntilMs }] of records.entries()) {
            const hash = leafHash(record);
            insertLeaf.run(first + offset, hash, record, Number.isFinite(keepUntilMs) ? Math.floor(keepUntilMs) : null);
            for (const node of appendLeaf(nodes, first + offset, hash)) insertNode.run(node.level, node.index, node.hash);
          }
          database.exec('COMMIT');
        } catch (error) {
          database.exec('ROLLBACK');
          throw error;
        }
      }, storageFailed);
      if (!stored.ok) return stored;
      size += records.length;
      kept += records.length;
      return ok(first);
    },
    leaves: (from, count) =>
      selectLeaves.all(from, size, count).map((row) => {
        const leaf = { index: Number(row['position']), hash: row['hash'] as Uint8Array };
        return row['record'] === null ? leaf : { ...leaf, record: row['record'] as Uint8Array };
      }),
    saveCheckpoint: (atSize, note) =>
      attempt(() => {
        insertCheckpoint.run(atSize, note);
        dropCheckpoints.run(keptCheckpoints);
      }, storageFailed),
    checkpoint: () => {
      const row = selectCheckpoint.get();
      const { size: atSize, note } = { size: Number(row?.['size']), note: row?.['note'] };
      const isNote = note instanceof Uint8Array && note.length > 0 && note.length <= maxNoteBytes;
      return isNote && Number.isSafeInteger(atSize) ? { size: atSize, note } : undefined;
    },
    verify: () => {
      const verified = attempt(verifyAll, (cause) => deny('integrity', 'audit-tampered', cause));
      return verified.ok ? verified.value : verified;
    },
    prune: (nowMs) =>
      attempt(() => {
        const dropped = Number(dropBodies.run(Math.floor(nowMs)).changes);
        kept -= dropped;
        return dropped;
      }, storageFailed),
    close: () => database.close(),
  };
};

const isHash = (value: unknown): value is Uint8Array => value instanceof Uint8Array && value.length === hashBytes;
