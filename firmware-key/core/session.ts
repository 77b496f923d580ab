/**
 * The transport of a session after the handshake, on both sides: ChaCha20-Poly1305, implicit 64-bit nonces, strict
 * order. One frame that does not open ends the session; the next handshake makes a new one.
 *
 * Source: The Noise Protocol Framework, revision 34, §5.1, §11.3 (rekey), §12.3 (nonce).
 */
import type { KeyCrypto } from './crypto.ts';
import { empty } from './octets.ts';

export interface Direction {
  readonly key: Uint8Array;
  readonly count: number;
}

export interface Session {
  readonly send: Direction;
  readonly receive: Direction;
}

/** §11.3: after this many frames the key is replaced, on both sides at the same count. */
export const framesPerKey = 4096;

export const openSession = (sendKey: Uint8Array, receiveKey: Uint8Array): Session => ({
  send: { key: sendKey, count: 0 },
  receive: { key: receiveKey, count: 0 },
});

export const sealFrame = (
  crypto: KeyCrypto,
  session: Session,
  plaintext: Uint8Array,
): { session: Session; sealed: Uint8Array } => {
  const sealed = crypto.seal(session.send.key, nonceOf(session.send.count), empty, plaintext);
  return { session: { ...session, send: advance(crypto, session.send) }, sealed };
};

/** @returns undefined where the tag is wrong: the session is over */
export const openFrame = (
  crypto: KeyCrypto,
  session: Session,
  sealed: Uint8Array,
): { session: Session; plaintext: Uint8Array } | undefined => {
  const plaintext = crypto.open(session.receive.key, nonceOf(session.receive.count), empty, sealed);
  return plaintext && { session: { ...session, receive: advance(crypto, session.receive) }, plaintext };
};

const nonceOf = (count: number): Uint8Array => {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(4, count, true); // 2^32 frames are more than a session has
  return nonce;
};

const advance = (crypto: KeyCrypto, { key, count }: Direction): Direction => {
  const next = count + 1;
  return { key: next % framesPerKey === 0 ? rekeyed(crypto, key) : key, count: next };
};

/** REKEY(k): the first 32 bytes of ENCRYPT(k, 2^64 - 1, "", zeros). */
const rekeyed = (crypto: KeyCrypto, key: Uint8Array): Uint8Array => {
  const nonce = new Uint8Array(12).fill(0xff, 4);
  return crypto.seal(key, nonce, empty, new Uint8Array(32)).slice(0, 32);
};
