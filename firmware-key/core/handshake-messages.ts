/**
 * The messages of channel 0, before there is a session: a type byte and the handshake's own bytes. Both sides bind the
 * version, the transport and the Key's boot id, so that nothing of one boot or one kind of line counts on another.
 */
import { ascii, join } from './octets.ts';

export const handshakeTypes = {
  /** Host: who is there? → `helloReply`: boot id (8). */
  hello: 1,
  helloReply: 2,
  /** enigm-kk-hfs-1. */
  kk1: 3,
  kk2: 4,
  /** CPace: fresh id of the host (16) and its share (32) → the Key's share (32). */
  share: 5,
  shareReply: 6,
  /** enigm-xx-hfs-1, with the psk from CPace. */
  xx1: 7,
  xx2: 8,
  xx3: 9,
  /** The Key has taken xx3: the session may be used. Proves nothing by itself; the first frame that opens does. */
  done: 10,
} as const;

export const bootIdBytes = 8;
export const sessionIdBytes = 16;

export type Transport = 'serial' | 'ble';

export const prologue = (transport: Transport, bootId: Uint8Array, sessionId: Uint8Array = new Uint8Array(0)): Uint8Array =>
  join(ascii(`enigm key 1 ${transport} `), bootId, sessionId);

/** CPace's CI and sid (SR-28: party ids, transport and fresh ids are in the transcript). */
export const pairingInputs = (secret: Uint8Array, transport: Transport, bootId: Uint8Array, sessionId: Uint8Array) => ({
  secret,
  channel: ascii(`enigm host|enigm key|${transport}`),
  sessionId: join(sessionId, bootId),
});

export const pairingPskLabel = ascii('enigm pairing psk');
export const nextPskLabel = 'enigm next psk';
/** From the final chaining key of a pairing: what the Key's advertisements are made of. */
export const advertisingLabel = 'enigm advertising key';
