/**
 * The Key as one script: what the board loads, in QuickJS or anywhere else. It expects the secure side's symmetric
 * functions under `enigmCrypto` and offers `enigmKey`, a function from one input to its effects. Both sides of the line
 * speak the encoding of `records.ts`: JSON, with bytes as `x:` and hexadecimal.
 */

import type { Input } from './inputs.ts';
import { ofHex, toHex } from './octets.ts';
import { decodeValue, encodeValue } from './records.ts';
import { reduce } from './reduce.ts';
import { factoryState } from './state.ts';

/** Functions of the host, over hexadecimal text; null where nothing opens. */
export interface HostCrypto {
  hmac(key: string, data: string): string;
  seal(key: string, nonce: string, associated: string, plaintext: string): string;
  open(key: string, nonce: string, associated: string, sealed: string): string | null;
  pinTag(salt: string, pin: string): string;
}

const world = globalThis as unknown as { enigmCrypto: HostCrypto; enigmKey: (input: string) => string };
const host = world.enigmCrypto;

const crypto = {
  hmac: (key: Uint8Array, data: Uint8Array) => ofHex(host.hmac(toHex(key), toHex(data))),
  seal: (key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array) =>
    ofHex(host.seal(toHex(key), toHex(nonce), toHex(associated), toHex(plaintext))),
  open: (key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array) => {
    const opened = host.open(toHex(key), toHex(nonce), toHex(associated), toHex(sealed));
    return opened === null ? undefined : ofHex(opened);
  },
  pinTag: (salt: Uint8Array, pin: Uint8Array) => ofHex(host.pinTag(toHex(salt), toHex(pin))),
};

let state = factoryState;

world.enigmKey = (input) => {
  const step = reduce(crypto, state, decodeValue(input) as Input);
  state = step.state;
  return encodeValue(step.effects);
};
