/** The people whom a Key alerts: each has a reference contact's side on a phone of their own. */

import { unwrapParcel } from '#agents/beacon/parcel';
import { Contact, type News, unknownEvent } from '#firmware-key/contact/contact';
import type { AckClass } from '#firmware-key/core/alert-format';
import { toHex } from '#hal/core/bytes';
import { deny, type Fault, ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';

export interface ContactPeer {
  /** Under which name the courier knows them; it says nothing. */
  readonly label: string;
  /** What is on their card, in the form that `enigmctl beacon contacts --add` reads. */
  readonly card: string;
  /** What they were told so far, oldest first. */
  readonly news: readonly News[];
  /**
   * What came and did not open; but for a place that came before its alert did: of what a Key says while nobody listens,
   * the line may keep the last part alone. The Key says the rest again.
   */
  readonly refusals: readonly Fault[];
  /** A parcel arrives. @returns what their phone answers by itself, or nothing */
  receive(parcel: Uint8Array): Uint8Array | undefined;
  /** Reads a parcel that they have from earlier, or from somebody else. */
  open(parcel: Uint8Array): Result<News>;
  /** What the person says about the event that is open; undefined where none is. */
  answer(says: AckClass): Uint8Array | undefined;
}

export const referenceContact = (random: Random, clock: Clock): ContactPeer => {
  const secrets = { id: random.bytes(16), seed: random.bytes(32), psk: random.bytes(32) };
  const contact = new Contact(nodeCrypto, random, secrets);
  const news: News[] = [];
  const refusals: Fault[] = [];
  const read = (parcel: Uint8Array) => {
    const message = unwrapParcel(parcel);
    return message === undefined ? deny('protocol', 'malformed', 'parcel') : contact.receive(message, clock.nowMs());
  };
  return {
    label: toHex(secrets.id),
    card: JSON.stringify({
      contact: toHex(secrets.id),
      tier: 1,
      isNamed: true,
      psk: toHex(secrets.psk),
      publicKey: toHex(contact.publicKey),
    }),
    news,
    refusals,
    receive(parcel) {
      const received = read(parcel);
      if (!received.ok) {
        if (received.fault.detail !== unknownEvent) refusals.push(received.fault);
        return undefined;
      }
      news.push(received.value.news);
      return received.value.ack;
    },
    open: (parcel) => {
      const received = read(parcel);
      return received.ok ? ok(received.value.news) : received;
    },
    answer(says) {
      const event = news.findLast(({ is }) => is === 'opened')?.event;
      return event === undefined ? undefined : contact.answer(event, says);
    },
  };
};
