/**
 * A second `enigm-kk-hfs-1`, written straight down from firmware-key/docs/enigm-kk-hfs-1.md over noble alone: no token
 * list, no state machine, nothing shared with `noise.ts`. For tests: two writers, one set of bytes (SR-29).
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';

const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));
const h2 = (a: Uint8Array, b: Uint8Array) => sha256(join(a, b));
const kdf = (ck: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] => {
  const prk = hmac(sha256, ck, input);
  const one = hmac(sha256, prk, Uint8Array.of(1));
  const two = hmac(sha256, prk, join(one, Uint8Array.of(2)));
  return [one, two, hmac(sha256, prk, join(two, Uint8Array.of(3)))];
};
const aead = (key: Uint8Array, h: Uint8Array, counter = 0) => {
  const nonce = new Uint8Array(12);
  nonce[4] = counter;
  return chacha20poly1305(key, nonce, h);
};
const start: Uint8Array = new Uint8Array(32);
start.set(new TextEncoder().encode('enigm-kk-hfs-1'));

export interface Straight {
  readonly message1: Uint8Array;
  readonly message2: Uint8Array;
  readonly hash: Uint8Array;
  readonly initiatorKey: Uint8Array;
  readonly responderKey: Uint8Array;
  readonly nextPsk: Uint8Array;
}

/** The whole handshake at once, from all secrets of both sides. */
export const straightKk = (all: {
  readonly prologue: Uint8Array;
  readonly psk: Uint8Array;
  readonly initiatorStatic: Uint8Array;
  readonly responderStatic: Uint8Array;
  readonly initiatorEphemeral: Uint8Array;
  readonly responderEphemeral: Uint8Array;
  readonly kemSeed: Uint8Array;
  /** m of FIPS 203 §6.2. */
  readonly kemRandomness: Uint8Array;
}): Straight => {
  const is = x25519.getPublicKey(all.initiatorStatic);
  const rs = x25519.getPublicKey(all.responderStatic);
  let h: Uint8Array = h2(h2(h2(start, all.prologue), is), rs);
  let ck: Uint8Array = start;
  let k: Uint8Array;

  // message 1: psk, e, es, e1, ss
  const mixed = kdf(ck, all.psk);
  ck = mixed[0];
  h = h2(h, mixed[1]);
  const e = x25519.getPublicKey(all.initiatorEphemeral);
  h = h2(h, e);
  [ck, k] = kdf(ck, e);
  [ck, k] = kdf(ck, x25519.getSharedSecret(all.initiatorEphemeral, rs));
  const kem = ml_kem768.keygen(all.kemSeed);
  const e1 = aead(k, h).encrypt(kem.publicKey);
  h = h2(h, e1);
  [ck, k] = kdf(ck, x25519.getSharedSecret(all.initiatorStatic, rs));
  const tag1 = aead(k, h).encrypt(new Uint8Array(0));
  h = h2(h, tag1);

  // message 2: e, ee, ekem1, se
  const f = x25519.getPublicKey(all.responderEphemeral);
  h = h2(h, f);
  [ck, k] = kdf(ck, f);
  [ck, k] = kdf(ck, x25519.getSharedSecret(all.responderEphemeral, e));
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(kem.publicKey, all.kemRandomness);
  const ekem1 = aead(k, h).encrypt(cipherText);
  h = h2(h, ekem1);
  [ck, k] = kdf(ck, sharedSecret);
  [ck, k] = kdf(ck, x25519.getSharedSecret(all.responderEphemeral, is));
  const tag2 = aead(k, h).encrypt(new Uint8Array(0));
  h = h2(h, tag2);

  const [initiatorKey, responderKey] = kdf(ck, new Uint8Array(0));
  return {
    message1: join(e, e1, tag1),
    message2: join(f, ekem1, tag2),
    hash: h,
    initiatorKey,
    responderKey,
    nextPsk: hmac(sha256, ck, new TextEncoder().encode('enigm next psk')),
  };
};
