/** What a verifier remembers: devices, the one handle each has for a relying party and epoch, boot logs by digest. */
import { DatabaseSync } from 'node:sqlite';
import type { TpmClass } from '#attestation/result';
import { equalBytes } from '#hal/core/bytes';
import type { ClockInfo } from '#hal/tpm/attest';

export interface DeviceRecord {
  readonly id: Uint8Array;
  /** Salted hash of the endorsement key's point: enough to know the TPM again, not to find it elsewhere. */
  readonly endorsementTag: Uint8Array;
  readonly attestationKey: Uint8Array;
  readonly postQuantumKey: Uint8Array;
  readonly tpmClass: TpmClass;
  readonly state: 'active' | 'replaced' | 'revoked';
  readonly clock?: ClockInfo;
}

export interface HandleBinding {
  readonly relyingParty: string;
  readonly epoch: number;
  /** 16 bytes. */
  readonly handle: Uint8Array;
}

export interface VerifierStore {
  /**
   * Writes the record and binds its first handle, both or neither; an earlier active record of the same TPM becomes
   * `replaced`. @returns whether the handle could be bound
   */
  enrol(device: DeviceRecord, first: HandleBinding): boolean;
  device(id: Uint8Array): DeviceRecord | undefined;
  isRevoked(endorsementTag: Uint8Array): boolean;
  /** Revokes the TPM of this record, in all its records. */
  revoke(id: Uint8Array): void;
  saveClock(id: Uint8Array, clock: ClockInfo): void;
  /**
   * Binds the handle if none is bound there yet. A handle is of one TPM, relying party and epoch for ever; a TPM that
   * enrols again brings its own with it. @returns whether this is the handle that is bound now
   */
  bindHandle(device: Uint8Array, binding: HandleBinding): boolean;
  saveLog(digest: Uint8Array, log: Uint8Array): void;
  log(digest: Uint8Array): Uint8Array | undefined;
  close(): void;
}

/** Boot logs are near-constant over a fleet; the oldest of more than these are sent again. */
const maxLogs = 4096;

const schema = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS device (
    id BLOB PRIMARY KEY, endorsement BLOB NOT NULL, attestation_key BLOB NOT NULL, post_quantum_key BLOB NOT NULL,
    tpm_class TEXT NOT NULL, state TEXT NOT NULL, clock_ms INTEGER, reset_count INTEGER, restart_count INTEGER, is_safe INTEGER) STRICT;
  CREATE INDEX IF NOT EXISTS device_endorsement ON device (endorsement);
  CREATE TABLE IF NOT EXISTS handle (device BLOB, relying_party TEXT, epoch INTEGER, handle BLOB NOT NULL,
    PRIMARY KEY (device, relying_party, epoch)) STRICT;
  CREATE INDEX IF NOT EXISTS handle_value ON handle (handle);
  CREATE TABLE IF NOT EXISTS boot_log (digest BLOB PRIMARY KEY, log BLOB NOT NULL) STRICT;
`;

/** @param path a file, or `:memory:` */
export const sqliteVerifierStore = (path: string): VerifierStore => {
  const database = new DatabaseSync(path);
  database.exec(schema);
  const insertDevice = database.prepare(
    'INSERT INTO device (id, endorsement, attestation_key, post_quantum_key, tpm_class, state, clock_ms, reset_count, restart_count, is_safe) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const replaceOthers = database.prepare("UPDATE device SET state = 'replaced' WHERE endorsement = ? AND state = 'active'");
  const selectDevice = database.prepare('SELECT * FROM device WHERE id = ?');
  selectDevice.setReadBigInts(true);
  const selectRevoked = database.prepare("SELECT 1 FROM device WHERE endorsement = ? AND state = 'revoked'");
  const setRevoked = database.prepare(
    "UPDATE device SET state = 'revoked' WHERE endorsement = (SELECT endorsement FROM device WHERE id = ?)",
  );
  const setClock = database.prepare(
    'UPDATE device SET clock_ms = ?, reset_count = ?, restart_count = ?, is_safe = ? WHERE id = ?',
  );
  const insertHandle = database.prepare(`
    INSERT INTO handle (device, relying_party, epoch, handle) SELECT $device, $party, $epoch, $handle
    WHERE NOT EXISTS (
      SELECT 1 FROM handle AS other JOIN device ON device.id = other.device
      WHERE other.handle = $handle AND NOT (
        device.endorsement = (SELECT endorsement FROM device WHERE id = $device)
        AND other.relying_party = $party AND other.epoch = $epoch))
    ON CONFLICT DO NOTHING`);
  const selectHandle = database.prepare('SELECT handle FROM handle WHERE device = ? AND relying_party = ? AND epoch = ?');
  const insertLog = database.prepare('INSERT INTO boot_log (digest, log) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const dropOldLogs = database.prepare('DELETE FROM boot_log WHERE rowid <= (SELECT MAX(rowid) FROM boot_log) - ?');
  const selectLog = database.prepare('SELECT log FROM boot_log WHERE digest = ?');
  // A TPM's clock has 64 bits without a sign, SQLite's integers have one; the owner of a TPM can set its clock.
  const clockColumns = ({ clockMs, resetCount, restartCount, isSafe }: ClockInfo) =>
    [BigInt.asIntN(64, clockMs), resetCount, restartCount, isSafe ? 1 : 0] as const;

  const insert = (device: DeviceRecord): void => {
    replaceOthers.run(device.endorsementTag);
    insertDevice.run(
      device.id,
      device.endorsementTag,
      device.attestationKey,
      device.postQuantumKey,
      device.tpmClass,
      device.state,
      ...(device.clock === undefined ? [null, null, null, null] : clockColumns(device.clock)),
    );
  };
  const bindHandle: VerifierStore['bindHandle'] = (device, { relyingParty, epoch, handle }) => {
    insertHandle.run({ $device: device, $party: relyingParty, $epoch: epoch, $handle: handle });
    const bound = selectHandle.get(device, relyingParty, epoch)?.['handle'] as Uint8Array | undefined;
    return bound !== undefined && equalBytes(bound, handle);
  };

  return {
    enrol(device, first) {
      database.exec('BEGIN IMMEDIATE');
      let isBound = false;
      try {
        insert(device);
        isBound = bindHandle(device.id, first);
      } finally {
        database.exec(isBound ? 'COMMIT' : 'ROLLBACK');
      }
      return isBound;
    },
    device(id) {
      const row = selectDevice.get(id);
      if (row === undefined) return undefined;
      const record = {
        id: row['id'] as Uint8Array,
        endorsementTag: row['endorsement'] as Uint8Array,
        attestationKey: row['attestation_key'] as Uint8Array,
        postQuantumKey: row['post_quantum_key'] as Uint8Array,
        tpmClass: row['tpm_class'] as TpmClass,
        state: row['state'] as DeviceRecord['state'],
      };
      if (row['reset_count'] === null) return record;
      const clock: ClockInfo = {
        clockMs: BigInt.asUintN(64, row['clock_ms'] as bigint),
        resetCount: Number(row['reset_count']),
        restartCount: Number(row['restart_count']),
        isSafe: row['is_safe'] === 1n,
      };
      return { ...record, clock };
    },
    isRevoked: (endorsementTag) => selectRevoked.get(endorsementTag) !== undefined,
    revoke: (id) => void setRevoked.run(id),
    saveClock: (id, clock) => void setClock.run(...clockColumns(clock), id),
    bindHandle,
    saveLog(digest, log) {
      insertLog.run(digest, log);
      dropOldLogs.run(maxLogs);
    },
    log: (digest) => selectLog.get(digest)?.['log'] as Uint8Array | undefined,
    close: () => database.close(),
  };
};
