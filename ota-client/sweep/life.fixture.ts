/** One life of a swept machine, from power or from its programs on to the end of its story, and what it did on the way. */
import { codeOf, done, type Failure, type Result } from '#hal/core/result';
import type { Operation } from '#hal/memory/recorded-media';
import type { SlotName } from '#hal/ports/slots';
import { expectNone } from '../apply/machine.fixture.ts';
import type { TestRelease } from '../apply/releases.fixture.ts';
import { expectSound, performUpdate } from '../apply/update.fixture.ts';
import { sha256 } from '../payload/segment-index.ts';
import type { SlotsView } from '../slots/view.ts';
import type { Board, LifeState, SweptMachine } from './board.fixture.ts';
import { recoveryStarts } from './firmware.fixture.ts';
import type { Story } from './stories.fixture.ts';

/** How far an install had come: what a later life makes again of it is held against this. */
export interface Made {
  readonly slot: SlotName;
  readonly release: TestRelease;
  /** From the first on: found on the medium, handed over, or on their way. */
  readonly segments: number;
}

export interface Moment<T> {
  /** Operations before it. */
  readonly at: number;
  readonly what: T;
}

/** A slot came to run; while the boot loader worked there was no program to be killed. */
export interface Start extends Moment<SlotName> {
  /** Operations before the boot loader began; above none at a start from power. */
  readonly begunAt: number;
}

export interface Life {
  readonly operations: readonly Operation[];
  readonly starts: readonly Start[];
  readonly looks: readonly Moment<SlotsView>[];
  readonly made: readonly Moment<Made>[];
  readonly offers: readonly Moment<number>[];
  /** Segments made again of an install that was cut, and segments on the medium that were verified again. */
  readonly again: number;
  readonly rechecked: number;
  /** It ended in the third image, which fetches a repair. */
  readonly isRepair: boolean;
}

/** Refusals that end one release of a story and not the story. */
const endings = ['policy/release-failed', 'integrity/release-rollback', 'integrity/below-floor'];

/** @throws where an invariant does not hold, the machine does not start, or the story does not come to its end */
export const live = async (board: Board, story: Story, from: LifeState, earlier?: Made): Promise<Life> => {
  const machine = board.machine(from);
  const watch = watching(machine, from.running !== undefined, earlier);
  const started = from.running === undefined ? await watch.machine.restart() : done;
  if (isRecovery(started)) return watch.life(true);
  expectStarted(started);
  const update = (release: TestRelease, isForced: boolean): Promise<Result<void>> =>
    performUpdate(watch.machine, release, {
      isForced,
      isHealthy: !story.ill.includes(release),
      runningImage: () => runningImage(machine, story),
      takes: story.base === 'copied',
      onBegun: ({ segment, recheckedSegments }) => watch.begun(release, segment, recheckedSegments),
      onSegment: (segment) => watch.made(release, segment),
    });
  for (const [offered, release] of story.releases.entries()) {
    if (offered < (from.offered ?? 0)) continue;
    watch.offers(offered);
    const updated = await update(release, story.isForced);
    if (updated.ok) continue;
    if (isRecovery(updated)) return watch.life(true);
    if (!endings.includes(codeOf(updated.fault))) throw new Error(`liveness: ${release.name} ends with ${told(updated)}`);
    // Three trials lost to cuts: the release is not taken again unless a person asks for it.
    if (story.ill.includes(release)) continue;
    const forced = await update(release, true);
    if (isRecovery(forced)) return watch.life(true);
    if (!forced.ok) throw new Error(`liveness: ${release.name}, forced, ends with ${told(forced)}`);
  }
  expectNone(brokenEnd(await expectSound(machine), story, machine));
  return watch.life(false);
};

export const expectStarted = (started: Result<unknown>): void => {
  if (!started.ok) throw new Error(`I1: nothing starts: ${told(started)}`);
};

const told = ({ fault }: Failure): string => `${codeOf(fault)} ${fault.detail ?? ''}`;

/** Whether nothing but the third image starts, which repairs. */
export const isRecovery = (started: Result<unknown>): boolean => !started.ok && started.fault.detail === recoveryStarts;

const runningImage = (machine: SweptMachine, { base }: Story) => {
  const { slot } = machine.running;
  const content = machine.contentOf(slot);
  if (base === 'unknown' || content === undefined) return undefined;
  return { index: sha256(content.payload.index), device: machine.media.device(slot) };
};

/** The last release that is well runs committed and is its own fallback; its floor was the last step of its plan. */
const brokenEnd = ({ running, slots }: SlotsView, { releases, ill }: Story, machine: SweptMachine): readonly string[] => {
  const wanted = releases.findLast((release) => !ill.includes(release));
  const [runs, other] = [machine.contentOf(running.slot), machine.contentOf(running.slot === 'a' ? 'b' : 'a')];
  const states = [slots.a.state, slots.b.state].toSorted().join();
  if (wanted !== undefined && runs === wanted && other === wanted && states === 'committed,superseded') return [];
  return [`liveness: ends with ${runs?.name} (${slots[running.slot].state}) and ${other?.name}, ${states}`];
};

const watching = (machine: SweptMachine, isRunning: boolean, earlier: Made | undefined) => {
  const looks: Moment<SlotsView>[] = [];
  const made: Moment<Made>[] = [];
  const starts: Start[] = isRunning ? [{ begunAt: 0, at: 0, what: machine.running.slot }] : [];
  const offers: Moment<number>[] = [];
  let again = 0;
  let rechecked = 0;
  const now = <T>(what: T): Moment<T> => ({ at: machine.media.operations.length, what });
  const targetOf = (): SlotName => (machine.running.slot === 'a' ? 'b' : 'a');
  const watched: SweptMachine = Object.create(machine, {
    look: {
      value: async () => {
        const view = await machine.look();
        if (view.ok) looks.push(now(view.value));
        return view;
      },
    },
    restart: {
      value: async () => {
        const begunAt = starts.length === 0 ? -1 : machine.media.operations.length;
        const started = await machine.restart();
        if (started.ok) starts.push({ ...now(started.value), begunAt });
        return started;
      },
    },
  });
  return {
    machine: watched,
    offers: (offered: number) => void offers.push(now(offered)),
    begun(release: TestRelease, segment: number, recheckedSegments: number) {
      const slot = targetOf();
      const isResumed = made.length === 0 && earlier?.slot === slot && earlier.release === release;
      if (isResumed) again = Math.max(0, earlier.segments - segment);
      rechecked = Math.max(rechecked, recheckedSegments);
      made.push(now({ slot, release, segments: segment }));
    },
    made(release: TestRelease, segment: number) {
      made.push(now({ slot: targetOf(), release, segments: segment + 1 }));
    },
    life: (isRepair: boolean): Life => ({
      isRepair,
      operations: machine.media.operations,
      starts,
      looks,
      made,
      offers,
      again,
      rechecked,
    }),
  };
};
