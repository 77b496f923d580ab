/** A whole update of a simulated machine, as its plan says, and what must hold whenever somebody looks at it. */
import { deny, ok, type Result, unwrap } from '#hal/core/result';
import { type SlotName, slotNames } from '#hal/ports/slots';
import { segmentBytes } from '../payload/limits.ts';
import { sha256 } from '../payload/segment-index.ts';
import { planUpdate } from '../plan/update.ts';
import type { SlotsView } from '../slots/view.ts';
import { raiseFloor } from './floor.ts';
import { type InstallBegun, install } from './install.ts';
import { expectNone, type Machine, type MemoryMachine } from './machine.fixture.ts';
import { clock, hardware, segmentBytesOfWindow, slotBytes, type TestRelease } from './releases.fixture.ts';
import { taker } from './take.ts';
import type { RunningImage } from './tiers.ts';

const never = new AbortController().signal;
const soak = { soakedMs: 1, neededMs: 1 };
const gates = { isPowered: true, isCool: true };

export const runningImage = (machine: Pick<MemoryMachine, 'media' | 'running'>, from: TestRelease): RunningImage => ({
  index: sha256(from.payload.index),
  device: machine.media[machine.running.slot],
});

export interface UpdateOptions {
  /** What this device knows of the image that it runs; nothing: the full recipe is taken. */
  readonly runningImage: () => RunningImage | undefined;
  /** What is in the running slot is copied by whoever has the medium. */
  readonly takes?: boolean;
  /** A person asked. */
  readonly isForced?: boolean;
  /** What the health gate of a trial says. */
  readonly isHealthy?: boolean;
  /** A segment was made, fetched or copied, and is handed over. */
  readonly onSegment?: (segment: number) => void;
  readonly onBegun?: (begun: InstallBegun) => void;
}

/**
 * Do what `planUpdate` says until nothing is left: install, arm, restart, commit, refresh the other slot, raise the floor.
 * @returns nothing; or the fault at which it stopped
 */
export const performUpdate = async (machine: Machine, release: TestRelease, options: UpdateOptions): Promise<Result<void>> => {
  const { isForced = false } = options;
  for (let steps = 0; steps < 40; steps += 1) {
    const gated = await passGate(machine, options);
    if (!gated.ok) return gated;
    const view = await machine.look();
    if (!view.ok) return view;
    const floorEpoch = await machine.floor.read();
    if (!floorEpoch.ok) return floorEpoch;
    const plan = planUpdate(release.offer, {
      ...{ view: view.value, floorEpoch: floorEpoch.value, hardware, slotBytes, gates, isForced },
    });
    if (!plan.ok) return plan.fault.reason === 'release-current' ? ok(undefined) : plan;
    const stepped = await perform(machine, release, plan.value[0] ?? 'write', options);
    if (!stepped.ok) return stepped;
  }
  return deny('resource', 'count-limit', 'the update does not end');
};

/**
 * As at every start (`runTrial`): what is on trial is kept or given up, what was half given up is given up, and a fallback
 * that had to start is kept, so that the other slot can be written.
 */
const passGate = async (machine: Machine, { isHealthy = true }: UpdateOptions): Promise<Result<unknown>> => {
  const view = await machine.look();
  if (!view.ok) return view;
  const { switch: slots } = machine.hands;
  const { state } = view.value.slots[machine.running.slot];
  const isGivenUp = state === 'failed' || (state === 'trial' && !isHealthy);
  if (isGivenUp) {
    const given = await slots.giveUp('unwell');
    return given.ok ? machine.restart() : given;
  }
  if (state === 'trial' || state === 'superseded') return slots.commit();
  // Started by a first root that gave the other slot up, without being armed: whoever is there starts it again.
  return state === 'committed' ? ok(undefined) : machine.restart();
};

const perform = async (
  machine: Machine,
  release: TestRelease,
  next: string,
  options: UpdateOptions,
): Promise<Result<unknown>> => {
  const { installer, switch: slots, keeper } = machine.hands;
  switch (next) {
    case 'write':
      return write(machine, release, options);
    case 'arm':
      return slots.arm(release.envelope);
    case 'restart':
      return machine.restart();
    default: {
      // Only the floor is left.
      const raised = await raiseFloor(keeper, machine.floor, soak);
      if (raised.ok || raised.fault.detail?.startsWith('refresh-other') !== true) return raised;
      const refreshed = await write(machine, release, options);
      await installer.abandon(release.order.owner);
      return refreshed.ok ? slots.arm(release.envelope) : refreshed;
    }
  }
};

const write = (machine: Machine, release: TestRelease, options: UpdateOptions): Promise<Result<void>> => {
  const { installer } = machine.hands;
  const { isForced = false, onSegment, onBegun } = options;
  const running = options.runningImage();
  const watched = {
    ...installer,
    write: (segment: number, bytes: Uint8Array) => {
      // Copies come several at once.
      for (let at = 0; at < bytes.length; at += segmentBytes) onSegment?.(segment + at / segmentBytes);
      return installer.write(segment, bytes);
    },
  };
  const parts = {
    ...{ mirrors: [release.fetch], installer: watched, clock },
    ...(running === undefined
      ? {}
      : {
          running: options.takes === true ? { ...running, take: taker(watched, running.device, segmentBytesOfWindow) } : running,
        }),
    ...(onBegun === undefined ? {} : { onBegun }),
  };
  return install({ ...release.order, isForced }, release.files, parts, never);
};

/** @returns the number of segments written */
export const updateTo = async (machine: MemoryMachine, release: TestRelease, from: TestRelease): Promise<Result<number>> => {
  let segments = 0;
  const updated = await performUpdate(machine, release, {
    runningImage: () => runningImage(machine, machine.contentOf(machine.running.slot) ?? from),
    onSegment: () => {
      segments += 1;
    },
  });
  return updated.ok ? ok(segments) : updated;
};

/** All that must hold after a cut, and that what may be started is what it says it is. */
export const expectSound = async (machine: Machine): Promise<SlotsView> => {
  const view = unwrap(await machine.look());
  expectNone(brokenContent(view, machine.contentOf));
  return view;
};

/** What may be started, now or once it is armed, holds the release that the ledger says: nothing wrong is ever committed. */
export const brokenContent = ({ slots }: SlotsView, contentOf: Machine['contentOf']): readonly string[] =>
  slotNames.flatMap((name: SlotName) => {
    const { state, release } = slots[name];
    const mustHold = state === 'committed' || state === 'superseded' || state === 'trial' || state === 'verified';
    const holds = contentOf(name)?.facts.verityRoot;
    return mustHold && (release === undefined || holds === undefined || Buffer.compare(holds, release.verityRoot) !== 0)
      ? [`I5: ${name} is ${state} and does not hold its release`]
      : [];
  });
