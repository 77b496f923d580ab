/** The floor, step by step (SR-08). A cut between two steps leaves it lower than wanted, and the next start goes on. */
import { deny, done, type Result } from '#hal/core/result';
import { otherSlot } from '#hal/ports/slots';
import { type Floor, planFloor, type Soak } from '../plan/floor.ts';
import type { SlotKeeper } from '../slots/keeper.ts';
import { revokedReason } from '../slots/view.ts';

/** @returns nothing, also where there was nothing to raise; `protocol/event-refused` naming what must come first; or a fault of the TPM */
export const raiseFloor = async (keeper: SlotKeeper, floor: Floor, soak: Soak): Promise<Result<void>> => {
  const view = await keeper.view();
  if (!view.ok) return view;
  const epoch = await floor.read();
  if (!epoch.ok) return epoch;
  const plan = planFloor(view.value, epoch.value, soak);
  if (plan.next === 'nothing') return done;
  if (plan.next !== 'raise') return deny('protocol', 'event-refused', `${plan.next} comes before the floor`);
  for (const next of plan.epochs) {
    const raised = await floor.raise(next);
    if (!raised.ok) return raised;
    const reached = await floor.read();
    if (!reached.ok) return reached;
    if (reached.value < next) return deny('integrity', 'read-back-mismatch', `floor ${reached.value} after raising to ${next}`);
  }
  return done;
};

/**
 * A fallback that the floor has left behind may not be started again: it would start without secrets (SR-07). Only while
 * the running slot itself stands on the floor, so that a slot which may start is always left (I1).
 */
export const revokeBelowFloor = async (keeper: SlotKeeper, floor: Pick<Floor, 'read'>): Promise<Result<void>> => {
  const epoch = await floor.read();
  if (!epoch.ok) return epoch;
  const view = await keeper.view();
  if (!view.ok) return view;
  const { running, slots } = view.value;
  const runningEpoch = slots[running.slot].release?.floorEpoch ?? -1;
  const other = otherSlot(running.slot);
  const { state, release } = slots[other];
  const isBelow = release !== undefined && release.floorEpoch < epoch.value;
  if (state !== 'superseded' || !isBelow || slots[running.slot].state !== 'committed' || runningEpoch < epoch.value) return done;
  return keeper.change(other, 'floor-rise', { reason: revokedReason });
};
