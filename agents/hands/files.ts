/** What the hands keep: the sealed secret, the wrapped link key, the receipt that makes a device provisioned, the journal of its visit. */
import { utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';

export interface HandsFiles {
  sealedSecret(): Result<Uint8Array>;
  saveSealedSecret(sealed: Uint8Array): Result<void>;
  linkKey(): Result<Uint8Array>;
  saveLinkKey(wrapped: Uint8Array): Result<void>;
  receipt(): Result<Uint8Array>;
  saveReceipt(envelope: Uint8Array): Result<void>;
  /** A device is provisioned when its receipt is there. */
  isProvisioned(): boolean;
  /** Durable before it returns. */
  writeJournal(entry: JournalEntry): Result<void>;
  /** Every step of the visit that was begun or done, in order, over however many cuts. */
  journal(): Result<readonly JournalEntry[]>;
}

export interface JournalEntry {
  readonly step: string;
  readonly phase: 'begun' | 'done';
}

const maxEntries = 256;

export const handsFiles = (store: DurableStore): HandsFiles => {
  const present = (key: string): Result<Uint8Array> => {
    const read = store.get(key);
    if (!read.ok) return read;
    return read.value === undefined ? deny('unavailable', 'not-provisioned') : ok(read.value);
  };
  const journal = (): Result<readonly JournalEntry[]> => {
    const read = store.get('journal');
    if (!read.ok) return read;
    return ok(read.value === undefined ? [] : (JSON.parse(Buffer.from(read.value).toString('utf8')) as JournalEntry[]));
  };
  return {
    sealedSecret: () => present('device-secret'),
    saveSealedSecret: (sealed) => store.put('device-secret', sealed),
    linkKey: () => present('link-key'),
    saveLinkKey: (wrapped) => store.put('link-key', wrapped),
    receipt: () => present('visit-receipt'),
    saveReceipt: (envelope) => store.put('visit-receipt', envelope),
    isProvisioned: () => present('visit-receipt').ok,
    writeJournal(entry) {
      const entries = journal();
      return entries.ok ? store.put('journal', utf8(JSON.stringify([...entries.value, entry].slice(-maxEntries)))) : entries;
    },
    journal,
  };
};
