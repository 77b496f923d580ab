/**
 * When the TPM floor may rise (SR-08): after the committed release has soaked, and after the *other* slot holds a release
 * that stands on the new floor too. One rotten block then never leaves the device without a slot that may start.
 *
 * Never from a trial, never because a server said so, never because an install ended.
 */
import type { Result } from '#hal/core/result';
import { otherSlot } from '#hal/ports/slots';
import { type SlotsView, startable } from '../slots/view.ts';

/** The floor of this device: an NV index of bits that can only be set (SR-08). */
export interface FloorReader {
  /** @returns the epoch, 0 to 64; a TPM that is missing, locked or cleared is a fault, and then nothing is installed */
  read(): Promise<Result<number>>;
}

export interface Floor extends FloorReader {
  /** One epoch at a time; repeating an epoch that is reached is harmless. */
  raise(epoch: number): Promise<Result<void>>;
}

export type FloorPlan =
  | { readonly next: 'nothing' }
  /** The running slot is not committed, or its release is not known. */
  | { readonly next: 'commit' }
  | { readonly next: 'soak'; readonly remainingMs: number }
  /** Write the running release to the other slot. */
  | { readonly next: 'refresh-other' }
  | { readonly next: 'raise'; readonly epochs: readonly number[] };

export interface Soak {
  /** Boot time spent healthy since the commit. */
  readonly soakedMs: number;
  readonly neededMs: number;
}

export const planFloor = (view: SlotsView, floorEpoch: number, { soakedMs, neededMs }: Soak): FloorPlan => {
  const { state, release } = view.slots[view.running.slot];
  if (state !== 'committed' || release === undefined) return { next: 'commit' };
  if (release.floorEpoch <= floorEpoch) return { next: 'nothing' };
  if (soakedMs < neededMs) return { next: 'soak', remainingMs: neededMs - soakedMs };
  const other = otherSlot(view.running.slot);
  const isOtherReady = startable(view).includes(other) && (view.slots[other].release?.floorEpoch ?? -1) >= release.floorEpoch;
  if (!isOtherReady) return { next: 'refresh-other' };
  const count = release.floorEpoch - floorEpoch;
  return { next: 'raise', epochs: Array.from({ length: count }, (_, at) => floorEpoch + 1 + at) };
};
