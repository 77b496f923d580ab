/**
 * Which slot a release may be written to, and whether it may at all. Asked by the hands themselves before every install:
 * what the mind decided before does not bind them.
 */
import { deny, ok, type Result } from '#hal/core/result';
import { otherSlot, type SlotName } from '#hal/ports/slots';
import { isSameRelease, type ReleaseFacts } from './ledger.ts';
import type { SlotsView } from './view.ts';

export interface TargetOptions {
  /** TPM floor of this device. */
  readonly floorEpoch: number;
  /** A person asked for a release that failed before. */
  readonly isForced: boolean;
}

/**
 * @returns the slot to write, always the one that does not run; or `policy/trial-running` (the fallback must stay whole
 * while the running slot is on trial), `policy/release-failed`, `integrity/below-floor`, `integrity/release-rollback`,
 * `protocol/event-refused` (it is the only committed slot)
 */
export const targetFor = (view: SlotsView, release: ReleaseFacts, { floorEpoch, isForced }: TargetOptions): Result<SlotName> => {
  const running = view.slots[view.running.slot];
  const slot = otherSlot(view.running.slot);
  const target = view.slots[slot];
  if (running.state === 'trial' || running.state === 'failed')
    return deny('policy', 'trial-running', `slot ${view.running.slot}`);
  if (release.floorEpoch < floorEpoch) return deny('integrity', 'below-floor', `epoch ${release.floorEpoch} of ${floorEpoch}`);
  if (isOlder(release, running.release)) return deny('integrity', 'release-rollback', `counter ${release.counter}`);
  if (target.state === 'committed') return deny('protocol', 'event-refused', `slot ${slot} is committed, the running one is not`);
  if (target.state === 'failed' && isSameRelease(target.release, release) && !isForced)
    return deny('policy', 'release-failed', target.reason);
  return ok(slot);
};

/** A downgrade is old code under a new counter; there is no exception path (SR-08). */
const isOlder = (release: ReleaseFacts, running: ReleaseFacts | undefined): boolean =>
  running !== undefined &&
  (release.counter < running.counter || (release.counter === running.counter && !isSameRelease(release, running)));
