/** What a verifier remembers: devices, the one handle each has for a relying party and epoch, boot logs by digest. */
import { DatabaseSync } from 'node:sqlite';
import type { TpmClass } from '#attestation/result';
import type { ClockInfo } from '#hal/tpm/attest';

export interface DeviceRecord {
  readonly id: Uint8Array;
  /** Salted hash of the endorsement key's public area: enough to know it again, not to find it elsewhere. */
  readonly endorsementTag: Uint8Array;
  readonly attestationKey: Uint8Array;
  readonly postQuantumKey: Uint8Array;
  readonly tpmClass: TpmClass;
  readonly state: 'active' | 'replaced' | 'revoked';
  readonly clock?: ClockInfo;
}

export interface VerifierStore {
  /** Writes the record; an earlier active record of the same TPM becomes `replaced`. */
  enrol(device: DeviceRecord): void;
  device(id: Uint8Array): DeviceRecord | undefined;
  isRevoked(endorsementTag: Uint8Array): boolean;
  revoke(id: Uint8Array): void;
  saveClock(id: Uint8Array, clock: ClockInfo): void;
  /** Binds the handle if none is bound yet. @returns the handle that is bound now */
  bindHandle(device: Uint8Array, relyingParty: string, epoch: number, handle: Uint8Array): Uint8Array;
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
  CREATE TABLE IF NOT EXISTS handle (device BLOB, relying_party TEXT, epoch INTEGER, handle BLOB NOT NULL UNIQUE,
    PRIMARY KEY (device, relying_party, epoch)) STRICT;
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
  const selectRevoked = database.prepare("SELECT 1 FROM device WHERE endorsement = ? AND state = 'revoked'");
  const setRevoked = database.prepare("UPDATE device SET state = 'revoked' WHERE id = ?");
  const setClock = database.prepare(
    'UPDATE device SET clock_ms = ?, reset_count = ?, restart_count = ?, is_safe = ? WHERE id = ?',
  );
  const insertHandle = database.prepare(
    'INSERT INTO handle (device, relying_party, epoch, handle) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const selectHandle = database.prepare('SELECT handle FROM handle WHERE device = ? AND relying_party = ? AND epoch = ?');
  const insertLog = database.prepare('INSERT INTO boot_log (digest, log) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const dropOldLogs = database.prepare('DELETE FROM boot_log WHERE rowid <= (SELECT MAX(rowid) FROM boot_log) - ?');
  const selectLog = database.prepare('SELECT log FROM boot_log WHERE digest = ?');
  const clockColumns = (clock: ClockInfo) => [clock.clockMs, clock.resetCount, clock.restartCount, clock.isSafe ? 1 : 0] as const;

  return {
    enrol(device) {
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
        clockMs: BigInt(row['clock_ms'] as number),
        resetCount: row['reset_count'] as number,
        restartCount: row['restart_count'] as number,
        isSafe: row['is_safe'] === 1,
      };
      return { ...record, clock };
    },
    isRevoked: (endorsementTag) => selectRevoked.get(endorsementTag) !== undefined,
    revoke: (id) => void setRevoked.run(id),
    saveClock: (id, clock) => void setClock.run(...clockColumns(clock), id),
    bindHandle(device, relyingParty, epoch, handle) {
      insertHandle.run(device, relyingParty, epoch, handle);
      return (selectHandle.get(device, relyingParty, epoch)?.['handle'] as Uint8Array | undefined) ?? new Uint8Array();
    },
    saveLog(digest, log) {
      insertLog.run(digest, log);
      dropOldLogs.run(maxLogs);
    },
    log: (digest) => selectLog.get(digest)?.['log'] as Uint8Array | undefined,
    close: () => database.close(),
  };
};
