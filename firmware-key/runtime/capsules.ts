/**
 * Capsules made while docked, so that a press costs symmetric cryptography alone. They age 30 days at most, are remade
 * at each dock, go when their contact changes, and are erased before they are used (SR-26). Until then they have no
 * forward secrecy: whoever takes them out of the secure side reads the first message of the next event.
 */
import { unwrap } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Capsule } from '../core/inputs.ts';
import { ascii } from '../core/octets.ts';
import { decodeValue, encodeValue } from '../core/records.ts';

export const capsulesPerContact = 4;
export const capsuleAgeMs = 30 * 86_400_000;

export interface StoredCapsule extends Capsule {
  readonly madeMs: number;
}

export interface CapsuleStore {
  /** Those that may be used, newest first. A clock that went back makes all of them too old. */
  of(contact: string, atMs: number): readonly StoredCapsule[];
  keep(contact: string, capsules: readonly StoredCapsule[]): void;
  dropOld(contact: string, atMs: number): void;
}

export const capsuleStore = (store: DurableStore): CapsuleStore => {
  const record = (contact: string): string => `key-capsules-${contact}`;
  const all = (contact: string): readonly StoredCapsule[] => {
    const bytes = unwrap(store.get(record(contact)));
    return bytes === undefined ? [] : (decodeValue(Buffer.from(bytes).toString('latin1')) as readonly StoredCapsule[]);
  };
  const fresh = (contact: string, atMs: number): readonly StoredCapsule[] =>
    all(contact).filter(({ madeMs }) => atMs >= madeMs && atMs - madeMs <= capsuleAgeMs);
  const keep = (contact: string, capsules: readonly StoredCapsule[]): void => {
    unwrap(store.put(record(contact), ascii(encodeValue(capsules))));
  };
  return {
    of: fresh,
    keep,
    dropOld(contact, atMs) {
      const left = fresh(contact, atMs);
      if (left.length < all(contact).length) keep(contact, left);
    },
  };
};
