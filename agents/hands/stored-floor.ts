/**
 * The floor of a machine whose TPM has no index for it yet: a number in the hands' own store.
 *
 * Limit: it is as good as that store. Whoever can put back an earlier disk puts back an earlier floor, which bits of the
 * TPM that can only be set would not let him (SR-08).
 */
import { u8 } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Floor } from '#ota-client/plan/floor';

const key = 'floor-epoch';
const maxEpoch = 64;

/** The floor of a store that has none yet is 0. */
export const storedFloor = (store: Pick<DurableStore, 'get' | 'put'>): Floor => {
  const read = (): Result<number> => {
    const stored = store.get(key);
    if (!stored.ok) return stored;
    const epoch = stored.value === undefined ? 0 : stored.value.length === 1 ? (stored.value[0] ?? 0) : maxEpoch + 1;
    return epoch <= maxEpoch ? ok(epoch) : deny('unavailable', 'storage-failed', 'the floor cannot be read');
  };
  return {
    read: async () => read(),
    async raise(epoch) {
      const present = read();
      if (!present.ok) return present;
      if (epoch <= present.value) return done;
      // One bit of the index at a time, as the TPM would set them.
      if (epoch !== present.value + 1 || epoch > maxEpoch)
        return deny('protocol', 'field-invalid', `from ${present.value} to ${epoch}`);
      return store.put(key, u8(epoch));
    },
  };
};
