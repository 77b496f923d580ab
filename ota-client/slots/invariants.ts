/**
 * What must hold at every step, whatever was cut (fault table of updates, docs/threat-model.md). I2 (what may be
 * written) is refused in `target.ts`, I5 (what may be committed) in `apply/switch.ts`, I6 by the table having no such edge.
 */
import { type SlotName, slotNames } from '#hal/ports/slots';
import { slotTable } from './table.ts';
import { type SlotsView, startable } from './view.ts';

/** @returns the sentences that are broken; none while all is well */
export const brokenInvariants = (view: SlotsView, floorEpoch: number): readonly string[] => {
  const epochOf = (name: SlotName) => view.slots[name].release?.floorEpoch ?? 0;
  const broken: string[] = [];
  if (!startable(view).some((name) => epochOf(name) >= floorEpoch)) broken.push('I1: no good slot at or above the floor');
  const committed = slotNames.filter((name) => view.slots[name].state === 'committed');
  if (committed.length > 1) broken.push('I1: two slots are committed');
  for (const name of committed) if (epochOf(name) < floorEpoch) broken.push(`I4: the floor is above the committed slot ${name}`);
  return broken;
};

/** @returns the sentences that this step breaks; a step may pass several edges of the table, as one that a cut ended does */
export const brokenByStep = (before: SlotsView, after: SlotsView): readonly string[] =>
  slotNames.flatMap((name) => {
    const [was, is] = [before.slots[name], after.slots[name]];
    const broken: string[] = [];
    if (!isReachable(was.state, is.state)) broken.push(`${name}: no way from ${was.state} to ${is.state}`);
    const lostTries = is.triesLeft < was.triesLeft && is.state === was.state;
    if (lostTries && is.state !== 'trial') broken.push(`I3: ${name} lost tries as ${is.state}`);
    const isWritten = is.state === 'writing' && (was.state !== 'writing' || is.writtenSegments !== was.writtenSegments);
    if (isWritten && before.running.slot === name) broken.push(`I2: ${name} is written while it runs`);
    if (isWritten && was.state === 'committed') broken.push(`I2: ${name} is written while it is the committed one`);
    return broken;
  });

type State = keyof typeof slotTable;

const isReachable = (from: State, to: State): boolean => {
  const seen = new Set<State>([from]);
  for (const state of seen)
    for (const cell of Object.values<readonly [State, ...string[]] | undefined>(slotTable[state]))
      if (cell !== undefined) seen.add(cell[0]);
  return seen.has(to);
};
