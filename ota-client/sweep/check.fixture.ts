/** What must hold of media that a cut left: once, right after it, before anything mends them. */
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { cellBytes } from '#hal/memory/recorded-media';
import { type SlotName, slotNames } from '#hal/ports/slots';
import { expectNone } from '../apply/machine.fixture.ts';
import { brokenContent } from '../apply/update.fixture.ts';
import { segmentBytes } from '../payload/limits.ts';
import { brokenByStep } from '../slots/invariants.ts';
import { type SlotsView, startable } from '../slots/view.ts';
import type { Board, LifeState, SweptMachine } from './board.fixture.ts';
import { expectStarted, isRecovery } from './life.fixture.ts';
import type { Story } from './stories.fixture.ts';

/** What an authorised person without a network reaches. */
export type Reached = 'active' | 'repair';

/**
 * Start, look, and let a person without a network bring it to a committed slot: no server and no mirror is asked here.
 * @param before what was last seen of the slots before the cut
 * @throws naming what does not hold
 */
export const checkAfterCut = async (board: Board, story: Story, from: LifeState, before?: SlotsView): Promise<Reached> => {
  const machine = board.machine(from);
  if (from.running === undefined) {
    const started = await machine.restart();
    if (isRecovery(started)) return 'repair';
    expectStarted(started);
  }
  const view = await look(machine);
  if (before !== undefined) expectNone(brokenByStep(before, view));
  return reach(machine, story, view);
};

const look = async (machine: SweptMachine): Promise<SlotsView> => {
  const view = unwrap(await machine.look());
  const broken = brokenContent(view, machine.contentOf).filter(
    (sentence) => !slotNames.some((slot) => sentence.startsWith(`I5: ${slot}`) && machine.isRotten(slot)),
  );
  expectNone([...broken, ...brokenJournal(view, machine), ...brokenFallback(view, unwrap(await machine.floor.read()))]);
  return view;
};

/** What is written down as durable lies there: the journal never leads the data. */
const brokenJournal = ({ slots }: SlotsView, { media, contents }: SweptMachine): readonly string[] =>
  slotNames.flatMap((name) => {
    const { state, release, writtenSegments } = slots[name];
    if (state !== 'writing' || writtenSegments === 0) return [];
    const writtenBytes = Math.min(writtenSegments * segmentBytes, release?.imageBytes ?? 0);
    const numbers = contents(release)?.slice(0, writtenBytes / cellBytes) ?? [];
    const first = media.cellOf(name);
    const isThere = numbers.length > 0 && numbers.every((number, at) => media.seen[first + at] === number);
    return isThere ? [] : [`journal: ${name} does not hold the ${writtenSegments} segments that are written down`];
  });

/** SR-08, row 46: the floor rises once both slots stand on it, so that one rotten block never ends in nothing that starts. */
const brokenFallback = (view: SlotsView, floorEpoch: number): readonly string[] =>
  startable(view).flatMap((name) => {
    const epoch = view.slots[name].release?.floorEpoch ?? 0;
    return epoch < floorEpoch ? [`SR-08: ${name} stands on ${epoch}, the floor is at ${floorEpoch}`] : [];
  });

/** Keep what runs, or, where a trial is not well, give it up and start again. */
const reach = async (machine: SweptMachine, story: Story, first: SlotsView): Promise<Reached> => {
  let view = first;
  for (let steps = 0; steps < 4; steps += 1) {
    const { slot } = machine.running;
    const { state } = view.slots[slot];
    if (state === 'committed') return 'active';
    const isIll = story.ill.some((release) => release === machine.contentOf(slot));
    if (state === 'superseded' || (state === 'trial' && !isIll)) {
      expectDone(await machine.hands.switch.commit(), slot);
    } else {
      // Another state than of a trial: three starts of the good slot were cut, and the first root pointed to this one.
      if (state === 'trial' || state === 'failed') expectDone(await machine.hands.switch.giveUp('unwell'), slot);
      const started = await machine.restart();
      if (isRecovery(started)) return 'repair';
      expectStarted(started);
    }
    view = await look(machine);
  }
  throw new Error('liveness: no slot becomes active');
};

const expectDone = (result: Result<unknown>, slot: SlotName): void => {
  if (!result.ok) throw new Error(`liveness: ${slot}: ${codeOf(result.fault)} ${result.fault.detail ?? ''}`);
};
