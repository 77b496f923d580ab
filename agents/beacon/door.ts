/** What the relay's door does: each method is one conversation with the Key, or a look at the relay itself. */
import type { KeyHost } from '#firmware-key/host/key-host';
import { deny, ok, type Result } from '#hal/core/result';
import type { Handlers } from '#hal/remote/methods';
import type { ContactBook } from './contacts.ts';
import type { BeaconMethods } from './methods.ts';
import type { PairingKeeper } from './pairing-keeper.ts';

export interface BeaconDoorParts {
  readonly host: Pick<KeyHost, 'isOpen' | 'status' | 'order' | 'pair'>;
  readonly pairing: Pick<PairingKeeper, 'isPaired' | 'protection'>;
  readonly contacts: ContactBook;
  /** The code with which the courier refuses now, or nothing. */
  readonly courier: (signal: AbortSignal) => Promise<string>;
}

export const beaconDoor = ({ host, pairing, contacts, courier }: BeaconDoorParts): Handlers<BeaconMethods> => ({
  'beacon.status': async ({ asksKey }, signal) => {
    const key = asksKey ? await host.status(signal) : undefined;
    if (key?.ok === false) return key;
    return ok({
      isLineUp: host.isOpen,
      isPaired: pairing.isPaired,
      protection: pairing.protection,
      courier: await courier(signal),
      ...(key === undefined ? {} : { key: key.value }),
    });
  },
  'beacon.pair': async ({ secret }, signal) => {
    const paired = await host.pair(secret, signal);
    return nothing(paired.ok ? contacts.clear() : paired);
  },
  'beacon.test': async (_, signal) => {
    const asked = await host.order({ type: 'test' }, signal);
    if (!asked.ok && asked.fault.reason === 'chord-missing') return ok({ needsChord: true });
    return asked.ok ? ok({ needsChord: false }) : asked;
  },
  'beacon.contacts': async ({ put, remove }, signal) => {
    if (put !== undefined && remove !== undefined) return deny('protocol', 'field-invalid', 'put and remove');
    if (put !== undefined) {
      const { contact, psk, publicKey } = put;
      const { tier, isNamed } = contact;
      if (tier < 1 || tier > 3) return deny('protocol', 'field-invalid', 'tier: 1 to 3');
      const room = contacts.hasRoomFor(contact);
      if (!room.ok) return room;
      const told = await host.order({ type: 'contact-put', contact: contact.contact, tier, isNamed, psk, publicKey }, signal);
      const kept = told.ok ? contacts.put(contact) : told;
      if (!kept.ok) return kept;
    }
    if (remove !== undefined) {
      const told = await host.order({ type: 'contact-remove', contact: remove }, signal);
      const kept = told.ok ? contacts.remove(remove) : told;
      if (!kept.ok) return kept;
    }
    return ok(contacts.all());
  },
  'beacon.pins': async ({ cancel, duress }, signal) => nothing(await host.order({ type: 'pins', cancel, duress }, signal)),
  'beacon.release': async (_, signal) => nothing(await host.order({ type: 'release' }, signal)),
});

const nothing = (result: Result<void>): Result<Record<string, never>> => (result.ok ? ok({}) : result);
