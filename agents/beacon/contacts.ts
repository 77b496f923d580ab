/** Whom the Key was told to alert, as the relay remembers it: opaque names, no key, no address. */

import { equalBytes } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import type { BeaconContact, BeaconContacts } from '#protos/gen/types';

const record = 'contacts';

export class ContactBook {
  private readonly store: DurableStore;
  private listed: readonly BeaconContact[];

  private constructor(store: DurableStore, listed: readonly BeaconContact[]) {
    this.store = store;
    this.listed = listed;
  }

  static open(store: DurableStore): Result<ContactBook> {
    const bytes = store.get(record);
    if (!bytes.ok) return bytes;
    if (bytes.value === undefined) return ok(new ContactBook(store, []));
    const book = decodeMessage('BeaconContacts', bytes.value);
    return book.ok ? ok(new ContactBook(store, book.value.contacts)) : book;
  }

  all(): BeaconContacts {
    return { contacts: this.listed };
  }

  put(contact: BeaconContact): Result<void> {
    return this.keep([...this.without(contact.contact), contact]);
  }

  remove(contact: Uint8Array): Result<void> {
    return this.keep(this.without(contact));
  }

  /** Another Key knows nobody yet. */
  clear(): Result<void> {
    return this.keep([]);
  }

  private without(contact: Uint8Array): readonly BeaconContact[] {
    return this.listed.filter((one) => !equalBytes(one.contact, contact));
  }

  private keep(contacts: readonly BeaconContact[]): Result<void> {
    const stored = this.store.put(record, encodeMessage('BeaconContacts', { contacts }));
    if (stored.ok) this.listed = contacts;
    return stored;
  }
}
