import { describe, expect, test } from 'vitest';
import { AlertQueue, alertsRecord } from '#firmware-key/host/queue';
import { toHex } from '#hal/core/bytes';
import { deny, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { ContactBook, contactsRecord } from './contacts.ts';
import { openedOrAnew } from './kept-aside.ts';

const damaged = new Uint8Array(40).fill(0xff);
const contact = { contact: new Uint8Array(16).fill(1), tier: 1, isNamed: false };

describe('what a relay keeps (SR-11)', () => {
  test('is opened as it was left', () => {
    const log = memoryLog();
    const store = memoryStore();
    unwrap(unwrap(openedOrAnew(store, contactsRecord, ContactBook.open, log)).put(contact));
    const again = unwrap(openedOrAnew(store, contactsRecord, ContactBook.open, log));
    expect(again.all().contacts.map(({ contact: name }) => toHex(name))).toEqual([toHex(contact.contact)]);
    expect(log.entries).toEqual([]);
  });

  test('begins anew where it cannot be read, and what was there is put aside', () => {
    const log = memoryLog();
    const store = memoryStore();
    for (const record of [alertsRecord, contactsRecord]) unwrap(store.put(record, damaged));
    expect(unwrap(openedOrAnew(store, alertsRecord, AlertQueue.open, log)).pending()).toEqual([]);
    expect(unwrap(openedOrAnew(store, contactsRecord, ContactBook.open, log)).all()).toEqual({ contacts: [] });
    for (const record of [alertsRecord, contactsRecord]) expect(unwrap(store.get(`${record}-unreadable`))).toEqual(damaged);
    expect(log.entries.map(({ fields }) => fields['record'])).toEqual([alertsRecord, contactsRecord]);
    expect(unwrap(openedOrAnew(store, contactsRecord, ContactBook.open, log)).all()).toEqual({ contacts: [] });
    expect(log.entries).toHaveLength(2);
  });

  test('is not put aside where the store cannot say what it has', () => {
    const log = memoryLog();
    const store = { ...memoryStore(), get: () => deny('unavailable', 'storage-failed') };
    expect(openedOrAnew(store, alertsRecord, AlertQueue.open, log)).toMatchObject({ fault: { reason: 'storage-failed' } });
    expect(log.entries).toEqual([]);
  });
});
