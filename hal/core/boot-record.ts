/**
 * `BootControl` over a record of our own: two copies on a small block device that boot loader and hands share, as
 * U-Boot's redundant environment is.
 *
 * The value: version(1) ‖ preferred(1) ‖ for slot a, then b: state(1) ‖ triesLeft(1).
 */
import { deny, done, ok, type Result } from '#hal/core/result';
import { twinRecord } from '#hal/core/twin-record';
import type { BlockDevice } from '#hal/ports/block-device';
import { type BootControl, type BootSlot, type BootState, maxTries, type RunningSlot } from '#hal/ports/boot-control';
import { otherSlot, type SlotName, slotNames } from '#hal/ports/slots';

export type BootRecord = Omit<BootState, 'running'>;

export interface BootRecordStore {
  /** @returns the record; `unavailable/storage-failed` where neither copy is whole, or a fault of the device */
  read(): Promise<Result<BootRecord>>;
  write(record: BootRecord): Promise<Result<void>>;
}

export const bootRecordStore = (device: BlockDevice): BootRecordStore => {
  const record = twinRecord(device, 'ENIGMBT1');
  return {
    async read() {
      const bytes = await record.read();
      if (!bytes.ok) return bytes;
      const decoded = bytes.value === undefined ? undefined : decodeRecord(bytes.value);
      return decoded === undefined ? deny('unavailable', 'storage-failed', 'no whole boot record') : ok(decoded);
    },
    write: (value) => record.write(encodeRecord(value)),
  };
};

/** @param running what was measured of this boot: by the kernel's device mapper, or by the simulated boot loader */
export const recordedBootControl = (store: BootRecordStore, running: () => Promise<Result<RunningSlot>>): BootControl => {
  const change = async (edit: (record: BootRecord) => BootRecord): Promise<Result<void>> => {
    const record = await store.read();
    if (!record.ok) return record;
    const next = edit(record.value);
    return isSame(record.value, next) ? done : store.write(next);
  };
  const set = (slot: SlotName, value: BootSlot) => (record: BootRecord) => ({
    ...record,
    slots: { ...record.slots, [slot]: value },
  });
  return {
    async read() {
      const record = await store.read();
      if (!record.ok) return record;
      const measured = await running();
      return measured.ok ? ok({ ...record.value, running: measured.value }) : measured;
    },
    markUnbootable: (slot) => change(set(slot, { state: 'unbootable', triesLeft: 0 })),
    async armTrial(slot, tries) {
      if (!(Number.isInteger(tries) && tries >= 1 && tries <= maxTries))
        return deny('protocol', 'field-invalid', `${tries} tries`);
      return change(set(slot, { state: 'trial', triesLeft: tries }));
    },
    commit: (slot) => change((record) => ({ ...set(slot, good)(record), preferred: slot })),
    markFallback: (slot) => change((record) => ({ ...set(slot, good)(record), preferred: otherSlot(slot) })),
  };
};

const good: BootSlot = { state: 'good', triesLeft: 0 };
const states = ['unbootable', 'trial', 'good'] as const;
const version = 1;

const encodeRecord = ({ preferred, slots }: BootRecord): Uint8Array =>
  Uint8Array.of(
    version,
    slotNames.indexOf(preferred),
    ...slotNames.flatMap((name) => [states.indexOf(slots[name].state), slots[name].triesLeft]),
  );

const isSame = (one: BootRecord, other: BootRecord): boolean => encodeRecord(one).join() === encodeRecord(other).join();

const decodeRecord = (bytes: Uint8Array): BootRecord | undefined => {
  const [readVersion, preferredIndex = -1, ...rest] = bytes;
  const preferred = slotNames[preferredIndex];
  const a = decodeSlot(rest[0], rest[1]);
  const b = decodeSlot(rest[2], rest[3]);
  if (readVersion !== version || rest.length !== 4 || preferred === undefined || a === undefined || b === undefined)
    return undefined;
  return { preferred, slots: { a, b } };
};

const decodeSlot = (stateIndex = -1, triesLeft = -1): BootSlot | undefined => {
  const state = states[stateIndex];
  return state === undefined || triesLeft > (state === 'trial' ? maxTries : 0) ? undefined : { state, triesLeft };
};
