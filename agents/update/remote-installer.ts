/**
 * The hands' side of an update, as the mind sees it over the socket: `ota-client` installs through this as if the slots
 * were its own. Every call that needs a permit is decided on anew, also the repetition of one.
 */
import { deny, done, faultFrom, ok, type Result } from '#hal/core/result';
import { type SlotName, slotNames } from '#hal/ports/slots';
import type { PermittedCall, RemoteHands } from '#hal/remote/hands-client';
import type { Begun, Installer } from '#ota-client/apply/installer';
import type { Switch } from '#ota-client/apply/switch';
import type { RunningImage } from '#ota-client/apply/tiers';
import { type SlotState, slotStates } from '#ota-client/slots/table';
import type { SlotsView, SlotView } from '#ota-client/slots/view';
import type { SlotStatus, SlotsStatus, UpdateBegun } from '#protos/gen/types';

/** SHA-256, of a segment that lies on the medium. */
const digestBytes = 32;

/** Decides on a call and lets it run under a permit for exactly it, or says why not. */
export type Perform = (call: PermittedCall) => Promise<Result<void>>;

type Hands = Pick<RemoteHands, 'updates' | 'effectors'>;

/**
 * @param owner who installs; of an order of `ota-client` only this and `isForced` reach the hands, the rest they take from
 * @param statement the signed envelope. @param proof that it is in the log of releases
 */
export const remoteInstaller = (
  hands: Hands,
  perform: Perform,
  owner: string,
  statement: Uint8Array,
  proof?: Uint8Array,
): Installer => ({
  async begin({ isForced }) {
    const begun = await answered(
      perform,
      hands.effectors.beginUpdate({ statement, owner, isForced, ...(proof === undefined ? {} : { proof }) }),
    );
    return begun.ok ? readBegun(begun.value) : begun;
  },
  write: (segment, bytes) => hands.updates.write(owner, segment, bytes),
  flushWindow: () => hands.updates.flush(owner),
  finish: () => hands.updates.finish(owner),
  async abandon() {
    // Hands that cannot be reached have no install any more, or will hear of the next one.
    await hands.updates.abandon(owner);
  },
});

export interface RemoteSwitch extends Omit<Switch, 'goBack'> {
  /** @param digest of the statement of the release that runs committed */
  raiseFloor(digest: Uint8Array): Promise<Result<void>>;
}

export const remoteSwitch = (hands: Hands, perform: Perform): RemoteSwitch => ({
  async arm(statement) {
    const outcome = await answered(perform, hands.effectors.armUpdate(statement));
    if (!outcome.ok) return outcome;
    return outcome.value === 'trial' || outcome.value === 'fallback' ? ok(outcome.value) : unreadable(outcome.value);
  },
  commit: () => perform(hands.effectors.commitUpdate()),
  giveUp: (reason) => perform(hands.effectors.giveUpTrial(reason)),
  raiseFloor: (digest) => perform(hands.effectors.raiseFloor(digest)),
  async status() {
    const situation = await readSituation(hands);
    return situation.ok ? ok(situation.value.view) : situation;
  },
});

/** What `planUpdate` must know of the hands. */
export interface SlotsSituation {
  readonly view: SlotsView;
  /** Or why it is not known: then nothing is installed. */
  readonly floorEpoch: Result<number>;
  /** Room in the slot that would be written. */
  readonly slotBytes: number;
}

export const readSituation = async (hands: Pick<RemoteHands, 'updates'>): Promise<Result<SlotsSituation>> => {
  const status = await hands.updates.status();
  if (!status.ok) return status;
  const { running, runningRoot, a, b, slotBytes } = status.value;
  const views = { a: viewOf(a), b: viewOf(b) };
  const broken = slotNames.find((name) => views[name] === undefined);
  if (broken !== undefined) return unreadable(`slot ${broken}`);
  const view = { running: { slot: running, verityRoot: runningRoot }, slots: views as Record<SlotName, SlotView> };
  return ok({ view, floorEpoch: floorOf(status.value), slotBytes });
};

const floorOf = ({ floorEpoch, floorFault = 'unavailable/floor-missing' }: SlotsStatus): Result<number> => {
  if (floorEpoch !== undefined) return ok(floorEpoch);
  const [category = '', reason = ''] = floorFault.split('/');
  return { ok: false, fault: faultFrom(category, reason) };
};

/** @param index SHA-256 of the index of the release that runs. @param imageBytes its size. @param owner who installs */
export const remoteRunningImage = (
  { updates }: Pick<RemoteHands, 'updates'>,
  index: Uint8Array,
  imageBytes: number,
  owner: string,
): RunningImage => ({
  index,
  take: (segment, wanted) => updates.take(owner, segment, wanted),
  device: { sizeBytes: imageBytes, read: updates.readRunning },
});

/** What the call answers, where performing it says only that it was done. */
const answered = async <T>(perform: Perform, call: PermittedCall<T>): Promise<Result<T>> => {
  let answer: Result<T> | undefined;
  const run = async (permit: Uint8Array): Promise<Result<void>> => {
    answer = await call.run(permit);
    return answer.ok ? done : answer;
  };
  const performed = await perform({ audience: call.audience, arguments: call.arguments, run });
  if (!performed.ok) return performed;
  return answer ?? deny('authorization', 'permit-missing', `${call.audience} was not performed`);
};

const unreadable = (what: string) => deny('protocol', 'field-invalid', `the hands answered: ${what}`);

const readBegun = ({ stage, firstSegment, digests, ...progress }: UpdateBegun): Result<Begun> => {
  const isKnown = stage === 'write' || stage === 'verified' || stage === 'installed';
  const rechecked = digests.length / digestBytes;
  if (!isKnown || !Number.isInteger(rechecked) || firstSegment + rechecked > progress.segments)
    return unreadable(`stage ${stage}`);
  return ok({ ...progress, stage, recheck: { firstSegment, digests } });
};

const viewOf = ({ state, release, reason = '', ...rest }: SlotStatus): SlotView | undefined =>
  isState(state) ? { ...rest, ...(release === undefined ? {} : { release }), state, reason } : undefined;

const isState = (state: string): state is SlotState => (slotStates as readonly string[]).includes(state);
