/** What somebody can open with everything that they took: each run of 32 bytes is tried as a key of a position. */
import { DatabaseSync } from 'node:sqlite';
import { unwrapParcel } from '#agents/beacon/parcel';
import { cutMessage, openUpdate } from '#firmware-key/core/alert-format';
import { chainStep } from '#firmware-key/core/ratchet';
import { keyCrypto } from '#firmware-key/runtime/key-crypto';
import { toHex } from '#hal/core/bytes';
import { nodeCrypto } from '#hal/crypto/node';

const keyBytes = 32;
/** As a message key, and as a chain key that stands so many positions before. */
const chainSteps = 2;

/** @param taken memory, raw or with keys in it as hexadecimal. @param parcel with a position in it */
export const opensWith = (taken: readonly Uint8Array[], parcel: Uint8Array): boolean => {
  const crypto = keyCrypto(nodeCrypto, new Uint8Array(keyBytes), 1);
  const cut = cutMessage(unwrapParcel(parcel) ?? new Uint8Array());
  if (cut === undefined) throw new Error('no message');
  const opens = (candidate: Uint8Array): boolean => {
    if (openUpdate(crypto, candidate, cut) !== undefined) return true;
    let chainKey = candidate;
    for (let step = 0; step < chainSteps; step += 1) {
      const { messageKey, next } = chainStep(crypto, chainKey);
      if (openUpdate(crypto, messageKey, cut) !== undefined) return true;
      chainKey = next;
    }
    return false;
  };
  return [...candidatesIn(taken)].some((candidate) => opens(new Uint8Array(Buffer.from(candidate, 'hex'))));
};

const candidatesIn = (taken: readonly Uint8Array[]): ReadonlySet<string> => {
  const found = new Set<string>();
  for (const bytes of taken) {
    const runs = Buffer.from(bytes)
      .toString('latin1')
      .match(/[0-9a-f]{64,}/g);
    for (const hex of [toHex(bytes), ...(runs ?? [])])
      for (let at = 0; at + 2 * keyBytes <= hex.length; at += 2) found.add(hex.slice(at, at + 2 * keyBytes));
  }
  return found;
};

/** Every value of a durable store, read beside whoever uses it. */
export const valuesOf = (path: string): readonly Uint8Array[] => {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database
      .prepare('SELECT value FROM entry')
      .all()
      .map((row) => row['value'] as Uint8Array);
  } finally {
    database.close();
  }
};
