/**
 * The messages of an alert, from the Key to its contacts and back; fixed layouts, big-endian.
 *
 *   capsule   01 | event 16 | sequence 4 | enc 1120 | box(128)      per contact, the first one
 *   control   02 | event 16 | sequence 4 | box(64)                  per contact: cancel, duress, close
 *   update    03 | event 16 | sequence 4 | index 4 | box(64)        one for all contacts (SR-25: group-authenticated)
 *   ack       04 | event 16 | contact 16 | counter 4 | sequence 4 | class 1 | mac 16
 *
 * box(n) is ChaCha20-Poly1305 over n bytes, padded with zeros, with what stands before it as associated data. Its nonce
 * is the sequence number, which is never used twice (`draft.ts`: they are reserved). Cancel and duress have the same
 * length and differ in one sealed byte (SR-24).
 */
import { derive, type KeyCrypto } from './crypto.ts';
import { ascii, join, padded, readI32, readU16, readU32, u16, u32 } from './octets.ts';

export const eventIdBytes = 16;
export const contactIdBytes = 16;
/** X-Wing, draft-connolly-cfrg-xwing-kem-10 §5.1. */
export const encBytes = 1120;
const tagBytes = 16;

export const messageTypes = { capsule: 1, control: 2, update: 3, ack: 4 } as const;
const capsuleBytes = 128;
const smallBytes = 64;
const headerBytes = 1 + eventIdBytes + 4;

export const purposes = ['alert', 'test', 'duress'] as const;
export type Purpose = (typeof purposes)[number];
export const verbs = ['cancel', 'duress', 'close'] as const;
export type Verb = (typeof verbs)[number];
export const ackClasses = ['none', 'delivered', 'seen', 'responding', 'resolved'] as const;
export type AckClass = (typeof ackClasses)[number];

/** HPKE: mode psk with the contact's secret, its id as the psk's name, this info; only the exporter is used. */
export const capsuleInfo = ascii('enigm-alert-1');
export const capsuleExport = ascii('enigm capsule');

/** What a capsule's secret is turned into, on both sides. */
export interface CapsuleKeys {
  readonly open: Uint8Array;
  readonly control: Uint8Array;
  readonly ack: Uint8Array;
}

export const capsuleKeys = (crypto: KeyCrypto, secret: Uint8Array): CapsuleKeys => ({
  open: derive(crypto, secret, 'open'),
  control: derive(crypto, secret, 'control'),
  ack: derive(crypto, secret, 'ack'),
});

export interface Header {
  readonly event: Uint8Array;
  readonly sequence: number;
}

export interface Battery {
  readonly percent: number;
  readonly isLow: boolean;
}

export interface Opening {
  readonly purpose: Purpose;
  readonly battery: Battery;
  /** The chain as it stands now: nothing before `index` can be opened with it. */
  readonly index: number;
  readonly chainKey: Uint8Array;
}

export interface Fix {
  readonly latitudeE7: number;
  readonly longitudeE7: number;
  readonly accuracyM: number;
}

const header = (type: number, { event, sequence }: Header): Uint8Array => join(Uint8Array.of(type), event, u32(sequence));
const nonceOf = (sequence: number): Uint8Array => join(new Uint8Array(8), u32(sequence));
const batteryByte = ({ percent, isLow }: Battery): number => (isLow ? 0x80 : 0) | Math.min(100, percent);
const batteryOf = (byte: number): Battery => ({ percent: byte & 0x7f, isLow: (byte & 0x80) !== 0 });

export const sealCapsule = (crypto: KeyCrypto, key: Uint8Array, head: Header, enc: Uint8Array, opening: Opening): Uint8Array => {
  const associated = join(header(messageTypes.capsule, head), enc);
  const content = join(
    Uint8Array.of(purposes.indexOf(opening.purpose), batteryByte(opening.battery)),
    u32(opening.index),
    opening.chainKey,
  );
  return join(associated, crypto.seal(key, nonceOf(head.sequence), associated, padded(content, capsuleBytes)));
};

export const sealControl = (crypto: KeyCrypto, key: Uint8Array, head: Header, verb: Verb, battery: Battery): Uint8Array => {
  const associated = header(messageTypes.control, head);
  const content = Uint8Array.of(verbs.indexOf(verb), batteryByte(battery));
  return join(associated, crypto.seal(key, nonceOf(head.sequence), associated, padded(content, smallBytes)));
};

export const sealUpdate = (
  crypto: KeyCrypto,
  messageKey: Uint8Array,
  head: Header,
  index: number,
  fix: Fix,
  battery: Battery,
): Uint8Array => {
  const associated = join(header(messageTypes.update, head), u32(index));
  const content = join(
    Uint8Array.of(batteryByte(battery)),
    u32(fix.latitudeE7),
    u32(fix.longitudeE7),
    u16(Math.min(0xffff, fix.accuracyM)),
  );
  return join(associated, crypto.seal(messageKey, nonceOf(head.sequence), associated, padded(content, smallBytes)));
};

/** A message cut at its fixed places, nothing opened. @returns undefined for another length or type */
export type Cut =
  | (Header & { readonly type: 'capsule'; readonly enc: Uint8Array; readonly associated: Uint8Array; readonly box: Uint8Array })
  | (Header & { readonly type: 'control'; readonly associated: Uint8Array; readonly box: Uint8Array })
  | (Header & { readonly type: 'update'; readonly index: number; readonly associated: Uint8Array; readonly box: Uint8Array });

export const cutMessage = (bytes: Uint8Array): Cut | undefined => {
  const head = { event: bytes.slice(1, 1 + eventIdBytes), sequence: readU32(bytes, 1 + eventIdBytes) };
  const at = (end: number) => ({ associated: bytes.slice(0, end), box: bytes.slice(end) });
  switch (bytes[0]) {
    case messageTypes.capsule: {
      const end = headerBytes + encBytes;
      if (bytes.length !== end + capsuleBytes + tagBytes) return undefined;
      return { type: 'capsule', ...head, enc: bytes.slice(headerBytes, end), ...at(end) };
    }
    case messageTypes.control:
      return bytes.length === headerBytes + smallBytes + tagBytes ? { type: 'control', ...head, ...at(headerBytes) } : undefined;
    case messageTypes.update: {
      const end = headerBytes + 4;
      if (bytes.length !== end + smallBytes + tagBytes) return undefined;
      return { type: 'update', ...head, index: readU32(bytes, headerBytes), ...at(end) };
    }
    default:
      return undefined;
  }
};

const opened = (crypto: KeyCrypto, key: Uint8Array, cut: Cut): Uint8Array | undefined =>
  crypto.open(key, nonceOf(cut.sequence), cut.associated, cut.box);

export const openCapsule = (crypto: KeyCrypto, key: Uint8Array, cut: Cut): Opening | undefined => {
  const content = opened(crypto, key, cut);
  const purpose = purposes[content?.[0] ?? purposes.length];
  if (content === undefined || purpose === undefined) return undefined;
  return { purpose, battery: batteryOf(content[1] ?? 0), index: readU32(content, 2), chainKey: content.slice(6, 38) };
};

export const openControl = (crypto: KeyCrypto, key: Uint8Array, cut: Cut): Verb | undefined =>
  verbs[opened(crypto, key, cut)?.[0] ?? verbs.length];

export const openUpdate = (crypto: KeyCrypto, messageKey: Uint8Array, cut: Cut): (Fix & { battery: Battery }) | undefined => {
  const content = opened(crypto, messageKey, cut);
  if (content === undefined) return undefined;
  return {
    battery: batteryOf(content[0] ?? 0),
    latitudeE7: readI32(content, 1),
    longitudeE7: readI32(content, 5),
    accuracyM: readU16(content, 9),
  };
};

export interface Ack {
  readonly event: Uint8Array;
  readonly contact: Uint8Array;
  /** Goes up with each answer of this contact to this event: an older one counts for nothing. */
  readonly counter: number;
  /** Which message is answered. */
  readonly sequence: number;
  readonly ackClass: AckClass;
}

const ackBytes = 1 + eventIdBytes + contactIdBytes + 4 + 4 + 1 + 16;

const ackContent = ({ event, contact, counter, sequence, ackClass }: Ack): Uint8Array =>
  join(Uint8Array.of(messageTypes.ack), event, contact, u32(counter), u32(sequence), Uint8Array.of(ackClasses.indexOf(ackClass)));

/** HMAC-SHA-256 cut to 16 bytes, under a key that only this contact and the Key have. */
const ackMac = (crypto: KeyCrypto, key: Uint8Array, content: Uint8Array): Uint8Array => crypto.hmac(key, content).slice(0, 16);

export const sealAck = (crypto: KeyCrypto, key: Uint8Array, ack: Ack): Uint8Array => {
  const content = ackContent(ack);
  return join(content, ackMac(crypto, key, content));
};

export interface ReceivedAck extends Ack {
  readonly mac: Uint8Array;
}

export const cutAck = (bytes: Uint8Array): ReceivedAck | undefined => {
  const ackClass = ackClasses[bytes[41] ?? ackClasses.length];
  if (bytes.length !== ackBytes || bytes[0] !== messageTypes.ack || ackClass === undefined) return undefined;
  return {
    event: bytes.slice(1, 17),
    contact: bytes.slice(17, 33),
    counter: readU32(bytes, 33),
    sequence: readU32(bytes, 37),
    ackClass,
    mac: bytes.slice(42),
  };
};

/** The MAC that this ack must carry under `key`. */
export const expectedMac = (crypto: KeyCrypto, key: Uint8Array, ack: Ack): Uint8Array => ackMac(crypto, key, ackContent(ack));

/** What the Key hands to whoever carries: `sequence 4 | count 1 | contact 16 × count | message`, in a frame of `event`. */
export interface Submission {
  readonly sequence: number;
  readonly contacts: readonly Uint8Array[];
  readonly message: Uint8Array;
}

export const encodeSubmission = ({ sequence, contacts, message }: Submission): Uint8Array =>
  join(u32(sequence), Uint8Array.of(contacts.length), ...contacts, message);

export const decodeSubmission = (body: Uint8Array): Submission | undefined => {
  const count = body[4] ?? 0;
  const start = 5 + contactIdBytes * count;
  if (count === 0 || body.length <= start) return undefined;
  const contacts = Array.from({ length: count }, (_, index) =>
    body.slice(5 + contactIdBytes * index, 5 + contactIdBytes * (index + 1)),
  );
  const message = body.slice(start);
  const sequence = readU32(body, 0);
  return cutMessage(message)?.sequence === sequence ? { sequence, contacts, message } : undefined;
};
