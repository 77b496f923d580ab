/**
 * The floor of a device (SR-08): the bits in its TPM, which nothing lowers, and a number beside them in the hands' own store,
 * which a cleared TPM does not take along. The floor is never below either.
 *
 * Limit: who clears the TPM *and* puts an older disk back has a floor of 0; what was sealed does not open then, and the
 * verifier knows the device by keys that are gone.
 */
import { u8 } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { TpmFloor } from '#hal/native/tpm-floor';
import type { DurableStore } from '#hal/ports/durable-store';
import { maxFloorEpoch } from '#hal/tpm/floor';
import type { Floor } from '#ota-client/plan/floor';

export interface DeviceFloor extends Floor {
  /**
   * Makes the index where this device never had one: at its factory, or at the first start with programs that know of it.
   * May be cut and repeated. @returns nothing, `integrity/tpm-cleared` where it had one, and as `TpmFloor.define`
   */
  define(): Promise<Result<void>>;
  isDefined(): Promise<Result<boolean>>;
}

/** The number; from before there was an index in the TPM, or written after it. */
const epochKey = 'floor-epoch';
/** There once the index was made: without it in the TPM, somebody cleared that. */
const definedKey = 'floor-defined';

export const deviceFloor = (inTpm: TpmFloor, store: Pick<DurableStore, 'get' | 'put'>): DeviceFloor => {
  const stored = (): Result<number> => {
    const read = store.get(epochKey);
    if (!read.ok) return read;
    const epoch = read.value === undefined ? 0 : read.value.length === 1 ? (read.value[0] ?? 0) : maxFloorEpoch + 1;
    return epoch <= maxFloorEpoch ? ok(epoch) : deny('unavailable', 'storage-failed', 'the floor cannot be read');
  };
  const wasDefined = (): Result<boolean> => {
    const read = store.get(definedKey);
    return read.ok ? ok(read.value !== undefined) : read;
  };
  /** @returns the epoch in the TPM; undefined where this device never had one */
  const own = async (): Promise<Result<number | undefined>> => {
    const read = await inTpm.read();
    if (!read.ok || read.value !== undefined) return read;
    const was = wasDefined();
    if (!was.ok) return was;
    return was.value ? deny('integrity', 'tpm-cleared') : ok(undefined);
  };
  const read = async (): Promise<Result<number>> => {
    const epoch = await own();
    if (!epoch.ok) return epoch;
    if (epoch.value === undefined) return deny('unavailable', 'floor-missing');
    const kept = stored();
    return kept.ok ? ok(Math.max(epoch.value, kept.value)) : kept;
  };
  /** Both: the bits first, read back from the TPM, since a number in the store could hide that they were not set. */
  const write = async (epoch: number): Promise<Result<void>> => {
    const raised = await inTpm.raise(epoch);
    if (!raised.ok) return raised;
    const reached = await own();
    if (!reached.ok) return reached;
    return (reached.value ?? 0) >= epoch ? store.put(epochKey, u8(epoch)) : deny('integrity', 'read-back-mismatch', 'the floor');
  };
  return {
    read,
    async raise(epoch) {
      const present = await own();
      if (!present.ok) return present;
      if (present.value === undefined) return deny('unavailable', 'floor-missing');
      if (!Number.isInteger(epoch) || epoch > maxFloorEpoch) return deny('protocol', 'field-invalid', `epoch ${epoch}`);
      const kept = stored();
      if (!kept.ok) return kept;
      return epoch <= Math.min(present.value, kept.value) ? done : write(Math.max(epoch, kept.value));
    },
    async define() {
      const before = await own();
      if (!before.ok) return before;
      if (before.value === undefined) {
        const made = await inTpm.define();
        if (!made.ok) return made;
      }
      const marked = store.put(definedKey, u8(1));
      if (!marked.ok) return marked;
      // What a device had reached before it had an index, as far as its release approves it.
      const kept = stored();
      if (!kept.ok || kept.value <= (before.value ?? 0)) return kept.ok ? done : kept;
      const followed = await write(kept.value);
      return followed.ok || followed.fault.reason === 'floor-unapproved' ? done : followed;
    },
    async isDefined() {
      const epoch = await own();
      if (!epoch.ok) return epoch;
      const was = wasDefined();
      return was.ok ? ok(epoch.value !== undefined && was.value) : was;
    },
  };
};
