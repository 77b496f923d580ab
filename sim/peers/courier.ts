/**
 * The courier: takes sealed parcels of a relay for contacts, hands them over, and keeps what contacts answer until the
 * relay has it. It knows opaque names and one size of parcel.
 */

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parcelBytes, unwrapParcel } from '#agents/beacon/parcel';
import { cutMessage } from '#firmware-key/core/alert-format';
import { equalBytes, toHex } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { bodyWithin } from '#hal/linux/http-body';
import type { Clock } from '#hal/ports/clock';
import type { Messages } from '#protos/gen/types';
import { certifyServer } from './authority.ts';
import type { ContactPeer } from './contacts.ts';
import type { PeerSecrets } from './secrets.ts';

export interface CourierPeer {
  /** `https://127.0.0.1:port/courier` */
  readonly url: string;
  /** Everything that it was given, oldest first. */
  readonly carried: readonly Carried[];
  /** A person says something about the event that is open. @returns false where none is */
  says(contact: ContactPeer, answer: Uint8Array | undefined): boolean;
  /** From now on parcels are kept back, or no more. */
  keepBack(isKept: boolean): void;
  /** It belongs to somebody else now, who plays old positions to contacts once their event is over. */
  takeOver(): void;
  close(): Promise<void>;
}

export interface Carried {
  readonly contact: string;
  readonly parcel: Uint8Array;
  readonly isKeptBack: boolean;
}

export interface CourierOptions {
  readonly contacts: readonly ContactPeer[];
  readonly secrets: Pick<PeerSecrets, 'tlsAuthority'>;
  readonly clock: Clock;
}

const host = '127.0.0.1';
const maxRequestBytes = 2 * parcelBytes;
const maxAnswers = 64;

export const startCourier = async ({ contacts, secrets, clock }: CourierOptions): Promise<CourierPeer> => {
  const { certificate, key } = await certifyServer(secrets.tlsAuthority, clock);
  const carried: Carried[] = [];
  /** By mailbox: answers that nobody has taken yet. */
  const waiting = new Map<string, { readonly number: number; readonly answer: Uint8Array }[]>();
  const mailboxOf = new Map<string, string>();
  let number = 0;
  let isKeptBack = false;
  let isOwned = false;

  const answer = (mailbox: string, bytes: Uint8Array): void => {
    number += 1;
    const box = waiting.get(mailbox) ?? [];
    waiting.set(mailbox, [...box, { number, answer: bytes }].slice(-maxAnswers));
  };
  const deliver = (mailbox: string, { contact, parcel }: Messages['CourierDelivery']): void => {
    const label = toHex(contact);
    mailboxOf.set(label, mailbox);
    carried.push({ contact: label, parcel, isKeptBack });
    const person = contacts.find((one) => one.label === label);
    if (person === undefined || isKeptBack) return;
    const said = person.receive(parcel);
    if (said !== undefined) answer(mailbox, said);
    if (isOwned && kindOf(parcel) === 'control') replay(person, parcel);
  };
  /** What an end is, its header says in clear. */
  const replay = (person: ContactPeer, end: Uint8Array): void => {
    const old = carried.filter(({ parcel }) => kindOf(parcel) === 'update' && equalBytes(eventOf(parcel), eventOf(end)));
    for (const { parcel } of old) person.receive(parcel);
  };
  const talk = (request: Messages['CourierRequest']): Uint8Array => {
    const mailbox = toHex(request.mailbox);
    if (request.delivery !== undefined) deliver(mailbox, request.delivery);
    const box = (waiting.get(mailbox) ?? []).filter((one) => one.number > request.after);
    waiting.set(mailbox, box);
    return encodeMessage('CourierReply', {
      number: box.at(-1)?.number ?? request.after,
      answers: box.map((one) => one.answer),
    });
  };

  const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.3' }, async (incoming, response) => {
    const isForUs = incoming.method === 'POST' && incoming.url === '/courier';
    const body = isForUs ? await bodyWithin(incoming, maxRequestBytes) : undefined;
    const request = body === undefined ? undefined : decodeMessage('CourierRequest', body);
    if (request?.ok !== true) return response.writeHead(400).end();
    const reply = talk(request.value);
    return response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': reply.length }).end(reply);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  return {
    url: `https://${host}:${(server.address() as AddressInfo).port}/courier`,
    carried,
    says(contact, bytes) {
      const mailbox = mailboxOf.get(contact.label);
      if (mailbox === undefined || bytes === undefined) return false;
      answer(mailbox, bytes);
      return true;
    },
    keepBack: (isKept) => {
      isKeptBack = isKept;
    },
    takeOver: () => {
      isOwned = true;
    },
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
};

const cutOf = (parcel: Uint8Array) => cutMessage(unwrapParcel(parcel) ?? new Uint8Array());
const kindOf = (parcel: Uint8Array): string | undefined => cutOf(parcel)?.type;
const eventOf = (parcel: Uint8Array): Uint8Array => cutOf(parcel)?.event ?? new Uint8Array();
