/**
 * What the relay keeps, opened though it may be damaged: a relay that does not start carries no alert (SR-11). What cannot be
 * read is put aside, so nothing is lost that somebody might still make sense of, and the relay begins anew.
 */
import { codeOf, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Log } from '#hal/ports/log';

const nothing = new Uint8Array();

/** @param record that is empty before anything is kept. @returns what `open` does; a fault of the store stays one */
export const openedOrAnew = <T>(
  store: DurableStore,
  record: string,
  open: (store: DurableStore) => Result<T>,
  log: Pick<Log, 'warn'>,
): Result<T> => {
  const opened = open(store);
  if (opened.ok || opened.fault.category !== 'protocol') return opened;
  log.warn('relay.unreadable', { record, code: codeOf(opened.fault) });
  const kept = store.get(record);
  if (!kept.ok) return kept;
  const aside = store.put(`${record}-unreadable`, kept.value ?? nothing);
  if (!aside.ok) return aside;
  const begun = store.put(record, nothing);
  return begun.ok ? open(store) : begun;
};
