/** Boot control where no slot runs: which slot is kept as it is, and what the firmware is pointed to before anything is written. */
import { done, ok, type Result } from '#hal/core/result';
import { endStart } from '#hal/linux/boot-guard';
import type { EfiVariables } from '#hal/linux/efi-variables';
import type { BootControl } from '#hal/ports/boot-control';
import { otherSlot, type SlotName, slotNames } from '#hal/ports/slots';

export interface RecoveryBootParts {
  readonly variables: EfiVariables;
  /** There once the guard of this start is gone. */
  readonly startEndedPath: string;
  /** Boot control in which this slot is the one that runs. */
  readonly controlOf: (slot: SlotName) => Result<BootControl>;
}

/**
 * The guard of starts is taken away first: what recovery points the firmware to counts from here on, and a trial that has
 * tries left is next and loses one.
 * @returns boot control with the slot that is kept as the one that runs, so that the other one is written; or a fault of
 *   the firmware's memory
 */
export const recoveryBoot = async ({ variables, startEndedPath, controlOf }: RecoveryBootParts): Promise<Result<BootControl>> => {
  const kept = await keptSlot(controlOf);
  if (!kept.ok) return kept;
  const ended = await endStart(variables, kept.value, startEndedPath);
  if (!ended.ok) return ended;
  const control = controlOf(kept.value);
  if (!control.ok) return control;
  const named = await nameSlot(control.value, kept.value);
  return named.ok ? control : named;
};

/** The preferred one: the same at each start until another is committed, so that a cut write is taken up where it was. */
const keptSlot = async (controlOf: RecoveryBootParts['controlOf']): Promise<Result<SlotName>> => {
  const control = controlOf('a');
  if (!control.ok) return control;
  const state = await control.value.read();
  if (!state.ok) return state;
  const { preferred, slots } = state.value;
  // Where the firmware names none as good, the one on trial is not the one to keep.
  return ok(slots[preferred].state === 'trial' ? otherSlot(preferred) : preferred);
};

/** Firmware that lost the order of its entries is told one again: a slot that is kept is one that may start. */
const nameSlot = async (control: BootControl, kept: SlotName): Promise<Result<void>> => {
  const state = await control.read();
  if (!state.ok) return state;
  const { slots } = state.value;
  return slotNames.some((name) => slots[name].state === 'good') ? done : control.commit(kept);
};
