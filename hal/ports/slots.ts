/** The two places for an operating system, of which one runs and the other can be written. */
import type { Result } from '#hal/core/result';
import type { BlockDevice } from '#hal/ports/block-device';

export const slotNames = ['a', 'b'] as const;
export type SlotName = (typeof slotNames)[number];

export const otherSlot = (slot: SlotName): SlotName => (slot === 'a' ? 'b' : 'a');

export interface Slots {
  /** @returns the slot's device, or `unavailable/storage-failed`. Opening to write a slot that runs is the caller's fault. */
  open(slot: SlotName, access: 'read' | 'write'): Promise<Result<SlotDevice>>;
}

export interface SlotDevice extends BlockDevice {
  /** The same for two names of one medium: names can be swapped, devices cannot. */
  readonly deviceId: string;
  close(): Promise<void>;
}
