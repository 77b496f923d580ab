import { describe, expect, test } from 'vitest';
import type { Request, Status } from '#firmware-key/core/messages';
import { toHex } from '#hal/core/bytes';
import { deny, done, ok, type Result, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { ContactBook } from './contacts.ts';
import { type BeaconDoorParts, beaconDoor } from './door.ts';

const never = new AbortController().signal;
const contact = { contact: new Uint8Array(16).fill(9), tier: 1, isNamed: true };
const put = { contact, psk: new Uint8Array(32), publicKey: new Uint8Array(1216) };
const report: Status = {
  ...{ state: 'bound', batteryPercent: 90, contacts: 2, hasPins: true, allowsRemoteArm: false, usedMicroampHours: 12 },
};

const open = (verdict: Result<void> = done) => {
  const store = memoryStore();
  const orders: Request['type'][] = [];
  const host: BeaconDoorParts['host'] = {
    isOpen: true,
    status: async () => (verdict.ok ? ok(report) : verdict),
    order: async ({ type }) => {
      orders.push(type);
      return verdict;
    },
    pair: async () => verdict,
  };
  const contacts = unwrap(ContactBook.open(store));
  return {
    door: beaconDoor({ host, contacts, pairing: { isPaired: true, protection: 'sealed' }, courier: async () => '' }),
    orders,
    store,
  };
};
const silent = deny('unavailable', 'key-silent');

describe('the door of the relay', () => {
  test('says what is there without waking the Key, and what the Key says where it is asked', async () => {
    const { door } = open();
    expect(await door['beacon.status']({ asksKey: false }, never)).toEqual(
      ok({ isLineUp: true, isPaired: true, protection: 'sealed', courier: '' }),
    );
    expect(await door['beacon.status']({ asksKey: true }, never)).toMatchObject({ value: { key: report } });
    expect(await open(silent).door['beacon.status']({ asksKey: true }, never)).toEqual(silent);
    expect((await open(silent).door['beacon.status']({ asksKey: false }, never)).ok).toBe(true);
  });

  test('lists a contact once the Key has it, over restarts, until it is removed or another Key is paired', async () => {
    const { door, store, orders } = open();
    expect(await door['beacon.contacts']({ put }, never)).toEqual(ok({ contacts: [contact] }));
    expect(await door['beacon.contacts']({ put }, never)).toEqual(ok({ contacts: [contact] }));
    expect(
      unwrap(ContactBook.open(store))
        .all()
        .contacts.map((one) => toHex(one.contact)),
    ).toEqual([toHex(contact.contact)]);
    expect(await door['beacon.contacts']({ remove: contact.contact }, never)).toEqual(ok({ contacts: [] }));
    await door['beacon.contacts']({ put }, never);
    await door['beacon.pair']({ secret: new Uint8Array(16) }, never);
    expect(await door['beacon.contacts']({}, never)).toEqual(ok({ contacts: [] }));
    expect(orders).toEqual(['contact-put', 'contact-put', 'contact-remove', 'contact-put']);
  });

  test('lists nobody whom the Key refused', async () => {
    const { door } = open(deny('authorization', 'chord-missing'));
    expect(await door['beacon.contacts']({ put }, never)).toMatchObject({ fault: { reason: 'chord-missing' } });
    expect(await door['beacon.contacts']({}, never)).toEqual(ok({ contacts: [] }));
  });

  test('refuses both changes at once, and a tier that there is not', async () => {
    const { door, orders } = open();
    const invalid = { fault: { category: 'protocol', reason: 'field-invalid' } };
    expect(await door['beacon.contacts']({ put, remove: contact.contact }, never)).toMatchObject(invalid);
    for (const tier of [0, 4])
      expect(await door['beacon.contacts']({ put: { ...put, contact: { ...contact, tier } } }, never)).toMatchObject(invalid);
    expect(orders).toEqual([]);
  });

  test('tells the Key of no ninth contact, and changes one of eight', async () => {
    const { door, orders } = open();
    const putOf = (byte: number, tier = 1) => ({ put: { ...put, contact: { ...contact, tier, contact: idOf(byte) } } });
    const idOf = (byte: number) => new Uint8Array(16).fill(byte);
    for (let byte = 1; byte <= 8; byte += 1) unwrap(await door['beacon.contacts'](putOf(byte), never));
    const full = { ok: false, fault: { category: 'resource', reason: 'count-limit' } };
    expect(await door['beacon.contacts'](putOf(9), never)).toMatchObject(full);
    expect(orders).toHaveLength(8);
    expect(unwrap(await door['beacon.contacts'](putOf(8, 2), never)).contacts).toHaveLength(8);
    await door['beacon.contacts']({ remove: idOf(1) }, never);
    expect((await door['beacon.contacts'](putOf(9), never)).ok).toBe(true);
  });

  test('keeps no ninth contact of two that were told to the Key at once', async () => {
    const { door } = open();
    const putOf = (byte: number) => ({ put: { ...put, contact: { ...contact, contact: new Uint8Array(16).fill(byte) } } });
    for (let byte = 1; byte <= 7; byte += 1) unwrap(await door['beacon.contacts'](putOf(byte), never));
    const both = await Promise.all([8, 9].map((byte) => door['beacon.contacts'](putOf(byte), never)));
    expect(both.map((one) => one.ok)).toEqual([true, false]);
  });

  test('asks for both buttons where the Key wants them', async () => {
    expect(await open(deny('authorization', 'chord-missing')).door['beacon.test']({}, never)).toEqual(ok({ needsChord: true }));
    expect(await open(silent).door['beacon.test']({}, never)).toEqual(silent);
  });

  test('passes PINs on and keeps none', async () => {
    const { door, orders, store } = open();
    expect(await door['beacon.pins']({ cancel: Uint8Array.of(1, 2, 3, 4), duress: Uint8Array.of(4, 3, 2, 1) }, never)).toEqual(
      ok({}),
    );
    expect(await door['beacon.release']({}, never)).toEqual(ok({}));
    expect(orders).toEqual(['pins', 'release']);
    expect(store.get('contacts')).toEqual(ok(undefined));
  });
});
