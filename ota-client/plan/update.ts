/** Whether this device may take a release now, and what is left to do: pure, so that it can be asked before a byte is fetched. */
import { deny, done, ok, type Result } from '#hal/core/result';
import { otherSlot } from '#hal/ports/slots';
import { hashAreaBytes } from '../payload/verity.ts';
import { isSameRelease, type ReleaseFacts } from '../slots/ledger.ts';
import { targetFor } from '../slots/target.ts';
import type { SlotsView } from '../slots/view.ts';

export interface Offer extends ReleaseFacts {
  /** Hardware classes that it is for. */
  readonly hardware: readonly string[];
  /** Counters of releases that it can follow directly; any without it. */
  readonly requires?: { readonly minCounter: number; readonly maxCounter: number };
}

export interface Situation {
  readonly view: SlotsView;
  readonly floorEpoch: number;
  readonly hardware: string;
  /** Size of the slot that would be written. */
  readonly slotBytes: number;
  readonly gates: Gates;
  readonly isForced: boolean;
}

/** What a device must have to be written for some minutes. */
export interface Gates {
  readonly isPowered: boolean;
  readonly isCool: boolean;
}

export type UpdateStep =
  | 'write'
  | 'read-back'
  | 'arm'
  | 'restart'
  | 'health-gate'
  | 'commit'
  | 'soak'
  | 'refresh-other'
  | 'raise-floor';

const untilCommit = ['write', 'read-back', 'arm', 'restart', 'health-gate', 'commit'] as const satisfies readonly UpdateStep[];
const floorSteps = ['soak', 'refresh-other', 'raise-floor'] as const satisfies readonly UpdateStep[];

/**
 * @returns the steps that are left, in order; or `policy/hardware-mismatch`, `policy/other-release-first`,
 * `policy/update-gate-closed`, `policy/release-current`, `resource/slot-too-small`, a fault of `targetFor`
 */
export const planUpdate = (offer: Offer, situation: Situation): Result<readonly UpdateStep[]> => {
  const { view, floorEpoch } = situation;
  const running = view.slots[view.running.slot];
  const afterwards = offer.floorEpoch > floorEpoch ? floorSteps : [];
  if (isSameRelease(running.release, offer)) {
    if (running.state === 'trial') return ok([...untilCommit.slice(untilCommit.indexOf('health-gate')), ...afterwards]);
    return afterwards.length > 0 ? ok(afterwards) : deny('policy', 'release-current');
  }
  const fits = checkOffer(offer, situation);
  if (!fits.ok) return fits;
  const target = targetFor(view, offer, situation);
  if (!target.ok) return target;
  const from = firstStep(view, offer);
  return ok([...untilCommit.slice(untilCommit.indexOf(from)), ...afterwards]);
};

const checkOffer = (offer: Offer, { view, hardware, slotBytes, gates }: Situation): Result<void> => {
  if (!offer.hardware.includes(hardware)) return deny('policy', 'hardware-mismatch', hardware);
  const counter = view.slots[view.running.slot].release?.counter;
  const { requires } = offer;
  if (requires !== undefined && !(counter !== undefined && counter >= requires.minCounter && counter <= requires.maxCounter))
    return deny('policy', 'other-release-first', `counter ${counter}, ${requires.minCounter} to ${requires.maxCounter} wanted`);
  const needed = offer.imageBytes + hashAreaBytes(offer.imageBytes);
  if (needed > slotBytes) return deny('resource', 'slot-too-small', `${needed} bytes into ${slotBytes}`);
  const closed = (Object.keys(gates) as (keyof Gates)[]).filter((gate) => !gates[gate]);
  return closed.length === 0 ? done : deny('policy', 'update-gate-closed', closed.join(', '));
};

/** What is in the other slot already is not done again. */
const firstStep = (view: SlotsView, offer: Offer): (typeof untilCommit)[number] => {
  const { state, release } = view.slots[otherSlot(view.running.slot)];
  if (!isSameRelease(release, offer)) return 'write';
  if (state === 'verified') return 'arm';
  return state === 'trial' ? 'restart' : 'write';
};
