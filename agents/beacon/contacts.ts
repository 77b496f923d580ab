/** Whom the Key was told to alert, as the relay remembers it: opaque names, no key, no address. */

import { limits } from '#firmware-key/core/state';
import { equalBytes } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import type { BeaconContact, BeaconContacts } from '#protos/gen/types';

export const contactsRecord = 'contacts';

export class ContactBook {
  private readonly store: DurableStore;
  private listed: readonly BeaconContact[];

  private constructor(store: DurableStore, listed: readonly BeaconContact[]) {
    this.store = store;
    this.listed = listed;
  }

  static open(store: DurableStore): Result<ContactBook> {
    const bytes = store.get(contactsRecord);
    if (!bytes.ok) return bytes;
    if (bytes.value === undefined) return ok(new ContactBook(store, []));
    const book = decodeMessage('BeaconContacts', bytes.value);
    return book.ok ? ok(new ContactBook(store, book.value.contacts)) : book;
  }

  all(): BeaconContacts {
    return { contacts: this.listed };
  }

  /** @returns nothing where it is one of them already, or there is room; else `resource/count-limit` */
  hasRoomFor(contact: BeaconContact): Result<void> {
    return this.without(contact.contact).length < limits.contacts ? done : deny('resource', 'count-limit', 'contacts');
  }

  /** @returns nothing, `resource/count-limit`, or a fault of the store */
  put(contact: BeaconContact): Result<void> {
    const room = this.hasRoomFor(contact);
    return room.ok ? this.keep([...this.without(contact.contact), contact]) : room;
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
    const stored = this.store.put(contactsRecord, encodeMessage('BeaconContacts', { contacts }));
    if (stored.ok) this.listed = contacts;
    return stored;
  }
}
