/**
 * The hands' side of changing what starts: arm, commit, give up. Each is idempotent, so that whoever was cut asks again, and
 * one after the other, so that of two who ask for the same at once, a person and the health gate, neither is refused.
 *
 * Arming needs the original signed envelope, verified here by the hands with their own keys (SR-01); a permit alone is
 * not enough. A commit is local and needs no network (SR-13, SR-15).
 */
import { equalBytes } from '#hal/core/bytes';
import { inTurn } from '#hal/core/in-turn';
import { deny, done, ok, type Result } from '#hal/core/result';
import { otherSlot } from '#hal/ports/slots';
import type { FloorReader } from '../plan/floor.ts';
import type { SlotKeeper } from '../slots/keeper.ts';
import { isSameRelease, type ReleaseFacts } from '../slots/ledger.ts';
import { type SlotsView, startable } from '../slots/view.ts';

export interface Switch {
  /**
   * Start the written slot next, on trial; a release that already runs committed becomes the fallback instead.
   * @param envelope the signed statement that names the release
   * @returns which of the two; or a fault of `verifyArm`, `integrity/slot-mismatch` (it names another release than was
   * written), `integrity/below-floor`, `policy/trial-running`, `protocol/event-refused`, a fault of the media
   */
  arm(envelope: Uint8Array): Promise<Result<'trial' | 'fallback'>>;
  /**
   * Start what the other slot held before the running release, on trial; the running one stays what starts after it.
   * @param envelope the signed statement that names it
   * @returns nothing; or a fault of `verifyArm`, `policy/no-fallback` (the other slot may not be started),
   * `integrity/slot-mismatch`, `integrity/below-floor`, `policy/trial-running`, a fault of the media
   */
  goBack(envelope: Uint8Array): Promise<Result<void>>;
  /** Keep the running slot. @returns nothing, `integrity/slot-mismatch` (I5), `integrity/below-floor`, `protocol/event-refused` */
  commit(): Promise<Result<void>>;
  /** End the trial of the running slot; the next start is the other one. @param reason a slug, kept */
  giveUp(reason: string): Promise<Result<void>>;
  status(): Promise<Result<SlotsView>>;
}

export interface SwitchParts {
  readonly keeper: SlotKeeper;
  readonly floor: FloorReader;
  /** Pinned keys, quorum, both algorithms, target and counter; no general parser (SR-01). */
  readonly verifyArm: (envelope: Uint8Array) => Result<ReleaseFacts> | Promise<Result<ReleaseFacts>>;
}

export const slotSwitch = ({ keeper, floor, verifyArm }: SwitchParts): Switch => {
  /** @returns nothing, `integrity/below-floor`, or why the floor is not known */
  const reachesFloor = async (release: ReleaseFacts): Promise<Result<void>> => {
    const epoch = await floor.read();
    if (!epoch.ok) return epoch;
    return release.floorEpoch >= epoch.value
      ? done
      : deny('integrity', 'below-floor', `epoch ${release.floorEpoch} of ${epoch.value}`);
  };
  /** The release that an envelope names, and both slots as they are now; the other one must hold it. */
  const heldByOther = async (envelope: Uint8Array) => {
    const named = await verifyArm(envelope);
    if (!named.ok) return named;
    const view = await keeper.view();
    if (!view.ok) return view;
    const { running, slots } = view.value;
    const slot = otherSlot(running.slot);
    if (!isSameRelease(slots[slot].release, named.value))
      return deny('integrity', 'slot-mismatch', `slot ${slot} holds another release`);
    return ok({ release: named.value, slot, state: slots[slot].state, runs: { slot: running.slot, ...slots[running.slot] } });
  };
  const exclusive = inTurn();
  const unguarded: Switch = {
    status: () => keeper.view(),
    async arm(envelope) {
      const held = await heldByOther(envelope);
      if (!held.ok) return held;
      const { release, slot, state, runs } = held.value;
      if (runs.state === 'trial') return deny('policy', 'trial-running', `slot ${runs.slot}`);
      const reached = await reachesFloor(release);
      if (!reached.ok) return reached;
      const isRunning = runs.state === 'committed' && isSameRelease(runs.release, release);
      const outcome = isRunning ? 'fallback' : 'trial';
      const isDone = state === (isRunning ? 'superseded' : 'trial');
      const armed = isDone ? done : await keeper.change(slot, isRunning ? 'keep' : 'arm');
      return armed.ok ? ok(outcome) : armed;
    },
    async goBack(envelope) {
      const held = await heldByOther(envelope);
      if (!held.ok) return held;
      const { release, slot, state, runs } = held.value;
      if (runs.state !== 'committed') return deny('policy', 'trial-running', `slot ${runs.slot}`);
      const reached = await reachesFloor(release);
      if (!reached.ok) return reached;
      // Asked again; a newer release on trial is another matter.
      if (state === 'trial' && release.counter < (runs.release?.counter ?? 0)) return done;
      return state === 'superseded' ? keeper.change(slot, 'return') : deny('policy', 'no-fallback', `slot ${slot} is ${state}`);
    },
    async commit() {
      const view = await keeper.view();
      if (!view.ok) return view;
      const { slot, verityRoot } = view.value.running;
      const { state, release } = view.value.slots[slot];
      if (state === 'committed') return done;
      if (release === undefined || !equalBytes(verityRoot, release.verityRoot))
        return deny('integrity', 'slot-mismatch', `the measured root is not that of slot ${slot}`);
      const reached = await reachesFloor(release);
      return reached.ok ? keeper.change(slot, 'commit') : reached;
    },
    async giveUp(reason) {
      const view = await keeper.view();
      if (!view.ok) return view;
      const { slot } = view.value.running;
      if (startable(view.value).length === 0) return deny('protocol', 'event-refused', 'no other slot may be started');
      return keeper.change(slot, 'give-up', { content: 'failed', reason });
    },
  };
  return {
    status: unguarded.status,
    arm: (envelope) => exclusive(() => unguarded.arm(envelope)),
    goBack: (envelope) => exclusive(() => unguarded.goBack(envelope)),
    commit: () => exclusive(() => unguarded.commit()),
    giveUp: (reason) => exclusive(() => unguarded.giveUp(reason)),
  };
};
