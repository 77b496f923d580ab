/**
 * The chain of an event's positions: each is sealed under a key of its own, and the step to the next one cannot be
 * undone. A seized Key shows no earlier place; whoever joins at index i opens nothing before i.
 */
import { derive, type KeyCrypto } from './crypto.ts';

export interface ChainStep {
  readonly messageKey: Uint8Array;
  readonly next: Uint8Array;
}

export const firstChainKey = (crypto: KeyCrypto, eventKey: Uint8Array): Uint8Array => derive(crypto, eventKey, 'location');

export const chainStep = (crypto: KeyCrypto, chainKey: Uint8Array): ChainStep => ({
  messageKey: derive(crypto, chainKey, 'message'),
  next: derive(crypto, chainKey, 'chain'),
});
