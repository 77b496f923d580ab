/**
 * What recovery does when no slot starts (SR-12, SR-33): the repair release of this hardware, verified as a running system
 * would verify it, into the slot that is not the preferred one, and on trial there. It needs no appraisal, no director and
 * no clock; a cut at any moment leaves it able to go on.
 *
 * Counter and floor are what the ledger knows of both slots, since the data of the device stays closed. Limit: whoever can
 * write the ledger can have an older repair release written, which custodians of repairs signed for this hardware; the
 * floor of the device then refuses its commit, and its data and secrets stay closed (SR-07, SR-08).
 */
import type { ReadRange } from '#agents/mind/far-ends';
import { fetchFrom } from '#agents/policy/source';
import { repairOffer } from '#agents/update/offer';
import { done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { BootControl } from '#hal/ports/boot-control';
import type { Clock } from '#hal/ports/clock';
import { type Slots, slotNames } from '#hal/ports/slots';
import { install } from '#ota-client/apply/install';
import { installer } from '#ota-client/apply/installer';
import { slotSwitch } from '#ota-client/apply/switch';
import { slotKeeper } from '#ota-client/slots/keeper';
import type { LedgerStore } from '#ota-client/slots/ledger';
import { openStatement } from '#ota-client/slots/statement';
import type { SlotState } from '#ota-client/slots/table';
import type { SlotsView, SlotView } from '#ota-client/slots/view';
import { deviceTrust } from '#ota-client/trust/device-trust';
import { refreshForRepair } from '#ota-client/trust/refresh';
import { type RepairTrust, repairPolicy } from './repair-trust.ts';

export interface RepairParts {
  readonly crypto: CryptoBackend;
  readonly trust: RepairTrust;
  readonly read: ReadRange;
  readonly slots: Slots;
  /** Has as the slot that runs the one that is kept: the preferred one. The other one is written. */
  readonly boot: BootControl;
  readonly ledger: LedgerStore;
  readonly clock: Clock;
  /** For whoever looks at the machine. */
  readonly say: (line: string) => void;
}

const owner = 'recovery';
/** Nothing is remembered between two starts: each verifies again, from the root in the image. */
const nothingKept = { get: () => ok(undefined), put: () => done };
/** Nobody says what time it is, and expiry is held against no clock that somebody could set (SR-16). */
const unknownTimeMs = 0;

/**
 * Once it returns without a fault, the next start is the trial of a repair.
 *
 * @returns nothing, also where a trial has tries left; or the faults of `refreshForRepair`, `repairOffer`, `install` and
 *   `Switch.arm`. What was written is kept, and taken up by the next call.
 */
export const repair = async (parts: RepairParts, signal: AbortSignal): Promise<Result<void>> => {
  const { crypto, trust, read, slots, boot, ledger, clock, say } = parts;
  const keeper = slotKeeper(boot, ledger);
  const view = await keeper.view();
  if (!view.ok) return view;
  for (const name of slotNames) say(`slot ${name}: ${wordsOf(view.value.slots[name])}`);
  if (slotNames.some((name) => isOnTrial(view.value.slots[name]))) return done;

  const policy = repairPolicy(crypto, trust);
  const fetch = fetchFrom(read);
  const image = deviceTrust({ crypto, fetch, store: nothingKept, pinnedRoot: trust.root });
  const repository = await refreshForRepair(image, unknownTimeMs, signal);
  if (!repository.ok) return repository;
  const known = knownOf(view.value);
  const offer = await repairOffer({ crypto, read, policy }, repository.value, { ...known, hardwareId: trust.hardware }, signal);
  if (!offer.ok) return offer;

  const { statement, manifest } = offer.value;
  const floor = { read: async () => ok(known.floorEpoch) };
  const written = await install(
    { ...statement, owner, isForced: false },
    manifest.files,
    {
      mirrors: [read],
      installer: installer({ slots, keeper, floor }),
      clock,
      onBegun: ({ segment, segments }) =>
        say(`writing repair release ${statement.release.counter} from segment ${segment} of ${segments}`),
      onProgress: quarters(say),
    },
    signal,
  );
  if (!written.ok) return written;
  const verifyArm = (envelope: Uint8Array) => {
    const opened = openStatement(policy, envelope);
    return opened.ok ? ok(opened.value.release) : opened;
  };
  const armed = await slotSwitch({ keeper, floor, verifyArm }).arm(manifest.statement);
  return armed.ok ? done : armed;
};

/** In these a release is in a slot, or was, that has been started or may have been. */
const isStarted: Readonly<Record<SlotState, boolean>> = {
  empty: false,
  writing: false,
  verified: false,
  trial: true,
  committed: true,
  superseded: true,
  failed: true,
  revoked: true,
};

/** Newer than all that ever started; no lower than what was committed, since the floor may stand there (SR-08). */
const knownOf = ({ slots }: SlotsView) => {
  const started = slotNames.map((name) => slots[name]).filter(({ state }) => isStarted[state]);
  const committed = started.filter(({ state }) => state === 'committed' || state === 'superseded');
  return {
    releaseCounter: Math.max(0, ...started.map(({ release }) => release?.counter ?? 0)),
    floorEpoch: Math.max(0, ...committed.map(({ release }) => release?.floorEpoch ?? 0)),
  };
};

const isOnTrial = ({ state, triesLeft }: SlotView): boolean => state === 'trial' && triesLeft > 0;

const wordsOf = ({ state, release, triesLeft, reason }: SlotView): string =>
  [
    state,
    release === undefined ? '' : `release ${release.counter}`,
    triesLeft > 0 ? `${triesLeft} tries` : '',
    state === 'failed' ? reason : '',
  ]
    .filter((word) => word !== '')
    .join(', ');

/** It takes minutes: a line at each quarter. */
const quarters = (say: RepairParts['say']) => {
  let told = 0;
  return ({ segment, segments }: { readonly segment: number; readonly segments: number }): void => {
    const quarter = Math.floor((4 * segment) / segments);
    if (quarter <= told) return;
    told = quarter;
    say(`${segment} of ${segments} segments are written`);
  };
};
