/**
 * What a boot loader does with the boot record at each start: a trial that has tries left comes first and costs one,
 * then the preferred good slot, then the other good one. Only a trial loses tries.
 *
 * Source: systemd's automatic boot assessment (boot counting), U-Boot `bootcount`/`bootlimit`.
 */
import type { BootRecordStore } from '#hal/core/boot-record';
import { deny, ok, type Result } from '#hal/core/result';
import { otherSlot, type SlotName, slotNames } from '#hal/ports/slots';

/**
 * @param starts false for a good slot that was found not to start: the other one is next. A trial is asked no such thing,
 * it has its tries
 * @returns the slot that starts, or `unavailable/storage-failed` where no slot may: a brick
 */
export const chooseSlot = async (
  store: BootRecordStore,
  starts: (slot: SlotName) => boolean = () => true,
): Promise<Result<SlotName>> => {
  const record = await store.read();
  if (!record.ok) return record;
  const { preferred, slots } = record.value;
  const trial = slotNames.find((name) => slots[name].state === 'trial' && slots[name].triesLeft > 0);
  if (trial !== undefined) {
    const triesLeft = slots[trial].triesLeft - 1;
    const spent = await store.write({ preferred, slots: { ...slots, [trial]: { state: 'trial', triesLeft } } });
    return spent.ok ? ok(trial) : spent;
  }
  const good = [preferred, otherSlot(preferred)].find((name) => slots[name].state === 'good' && starts(name));
  return good === undefined ? deny('unavailable', 'storage-failed', 'no slot may be started') : ok(good);
};
