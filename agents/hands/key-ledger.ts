/** The ledger of keys in the hands' own store: epochs with their successions, and the list of revoked keys, as one record. */
import { equalBytes } from '#hal/core/bytes';
import { inTurn } from '#hal/core/in-turn';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { assembleSuccession, deviceKeyId, successionBytes } from '#hal/crypto/succession';
import type { EpochOf } from '#hal/native/device-keys';
import type { DeviceKeys, SigningClass } from '#hal/ports/device-keys';
import type { DurableStore } from '#hal/ports/durable-store';
import { epochIn, type KeyLedger } from '#hal/ports/key-ledger';
import type { KeyClass, KeyRotation, KeysState } from '#protos/gen/types';

export const rotatingClasses = ['attestation', 'audit', 'report', 'handle'] as const satisfies readonly KeyClass[];
/** A key a month for some years; each succession has six kilobytes, and a device keeps all of them. */
const maxEpoch = 32;
const maxRevoked = 256;
const key = 'key-ledger';

const initial: KeysState = {
  epochs: rotatingClasses.map((keyClass) => ({ keyClass, epoch: 1, successions: [] })),
  revoked: [],
};

/** @returns the state; a record that cannot be read is no new start: then nothing signs */
export const readKeysState = (store: Pick<DurableStore, 'get'>): Result<KeysState> => {
  const stored = store.get(key);
  if (!stored.ok) return stored;
  if (stored.value === undefined) return ok(initial);
  const decoded = decodeMessage('KeysState', stored.value);
  return decoded.ok ? decoded : deny('unavailable', 'storage-failed', 'the ledger of keys cannot be read');
};

/** For `sealedDeviceKeys`. */
export const storedEpochs =
  (store: Pick<DurableStore, 'get'>): EpochOf =>
  (keyClass) => {
    const state = readKeysState(store);
    return state.ok ? ok(epochIn(state.value, keyClass).epoch) : state;
  };

export const handleEpoch = (store: Pick<DurableStore, 'get'>): Result<number> => {
  const state = readKeysState(store);
  return state.ok ? ok(epochIn(state.value, 'handle').epoch) : state;
};

export const storedKeyLedger = (
  store: Pick<DurableStore, 'get' | 'put'>,
  keys: Pick<DeviceKeys, 'publicKey' | 'sign'>,
  crypto: CryptoBackend,
): KeyLedger => {
  const write = (state: KeysState): Result<void> => store.put(key, encodeMessage('KeysState', state));
  const turn = inTurn();

  const succession = async (keyClass: SigningClass, { epoch, successor }: KeyRotation): Promise<Result<Uint8Array>> => {
    const old = await keys.publicKey(keyClass);
    if (!old.ok) return old;
    const next = await keys.publicKey(keyClass, epoch);
    if (!next.ok) return next;
    if (successor === undefined || !equalBytes(successor, deviceKeyId(crypto, next.value)))
      return deny('protocol', 'field-invalid', `not the key of epoch ${epoch}`);
    const statement = { keyClass, epoch, key: next.value };
    const signature = await keys.sign(keyClass, successionBytes(statement));
    return signature.ok ? ok(assembleSuccession(crypto, statement, old.value, signature.value)) : signature;
  };

  return {
    read: () => readKeysState(store),
    rotate: (rotation) =>
      turn(async () => {
        const { keyClass, epoch } = rotation;
        const state = readKeysState(store);
        if (!state.ok) return state;
        const present = epochIn(state.value, keyClass);
        if (epoch !== present.epoch + 1) return deny('protocol', 'field-invalid', `from epoch ${present.epoch} to ${epoch}`);
        if (epoch > maxEpoch) return deny('resource', 'count-limit', `epochs of ${keyClass}`);
        const signed = keyClass === 'handle' ? undefined : await succession(keyClass, rotation);
        if (signed?.ok === false) return signed;
        // What was revoked while the keys were derived is in the record that counts now.
        const now = readKeysState(store);
        if (!now.ok) return now;
        const next = { keyClass, epoch, successions: [...present.successions, ...(signed === undefined ? [] : [signed.value])] };
        return write({ ...now.value, epochs: [...now.value.epochs.filter((one) => one.keyClass !== keyClass), next] });
      }),
    revoke(revocation) {
      const state = readKeysState(store);
      if (!state.ok) return state;
      const { revoked } = state.value;
      const isListed = revoked.some(
        ({ keyClass, keyId }) => keyClass === revocation.keyClass && equalBytes(keyId, revocation.keyId),
      );
      if (isListed) return done;
      if (revoked.length >= maxRevoked) return deny('resource', 'count-limit', 'revoked keys');
      return write({ ...state.value, revoked: [...revoked, revocation] });
    },
  };
};
