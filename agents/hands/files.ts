/** What the hands keep: the sealed secret, the wrapped link key, the receipt that makes a device provisioned, the journal of its visit. */
import { equalBytes, u32be, utf8 } from '#hal/core/bytes';
import { decodeJson, list, object, oneOf, text } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';

export interface HandsFiles {
  sealedSecret(): Result<Uint8Array>;
  saveSealedSecret(sealed: Uint8Array): Result<void>;
  /** @returns `unavailable/not-provisioned` where the key that is kept is of another epoch too */
  linkKey(epoch: number): Result<Uint8Array>;
  saveLinkKey(epoch: number, wrapped: Uint8Array): Result<void>;
  receipt(): Result<Uint8Array>;
  saveReceipt(envelope: Uint8Array): Result<void>;
  /** A device is provisioned when its receipt is there. */
  isProvisioned(): boolean;
  /** Durable before it returns. @returns nothing, or as `journal`: one that is damaged is written no further */
  writeJournal(entry: JournalEntry): Result<void>;
  /**
   * Every step of the visit that was begun or done, in order, over however many cuts.
   * @returns the steps, none where nothing was written; or `unavailable/storage-failed`, also where it is no journal
   */
  journal(): Result<readonly JournalEntry[]>;
}

export interface JournalEntry {
  readonly step: string;
  readonly phase: 'begun' | 'done';
}

const maxEntries = 256;
const entries = list(object({ step: text(), phase: oneOf('begun', 'done') }), maxEntries);

export const handsFiles = (store: DurableStore): HandsFiles => {
  const present = (key: string): Result<Uint8Array> => {
    const read = store.get(key);
    if (!read.ok) return read;
    return read.value === undefined ? deny('unavailable', 'not-provisioned') : ok(read.value);
  };
  const journal = (): Result<readonly JournalEntry[]> => {
    const read = store.get('journal');
    if (!read.ok) return read;
    if (read.value === undefined) return ok([]);
    const decoded = decodeJson(Buffer.from(read.value).toString('utf8'), entries);
    return decoded.ok ? decoded : deny('unavailable', 'storage-failed', `journal: ${decoded.fault.detail}`);
  };
  return {
    sealedSecret: () => present('device-secret'),
    saveSealedSecret: (sealed) => store.put('device-secret', sealed),
    linkKey(epoch) {
      const stored = store.get('link-key-epoch');
      if (!stored.ok) return stored;
      const isOfEpoch = equalBytes(stored.value ?? u32be(1), u32be(epoch));
      return isOfEpoch ? present('link-key') : deny('unavailable', 'not-provisioned', 'a link key of another epoch');
    },
    saveLinkKey(epoch, wrapped) {
      // Cut between the two, the key of the older epoch is gone, and the next start makes another one.
      const saved = store.put('link-key', wrapped);
      return saved.ok ? store.put('link-key-epoch', u32be(epoch)) : saved;
    },
    receipt: () => present('visit-receipt'),
    saveReceipt: (envelope) => store.put('visit-receipt', envelope),
    isProvisioned: () => present('visit-receipt').ok,
    writeJournal(entry) {
      const written = journal();
      return written.ok ? store.put('journal', utf8(JSON.stringify([...written.value, entry].slice(-maxEntries)))) : written;
    },
    journal,
  };
};
