/** Which cuts are looked at: as many of each phase, and in it as many between writes to the disk as to the firmware's flash. */
import type { Below } from './below.ts';
import { type Fate, fates } from './cut.ts';
import type { Position } from './moments.ts';

export interface ChosenCut {
  readonly phase: string;
  readonly position: Position;
  readonly fate: Fate;
}

/**
 * @param phases states that were there, in their order, by the phase they were in
 * @param below a number from 0 to under its limit, of the seed
 * @returns so many cuts at different states, or all where there are fewer
 */
export const chooseCuts = (
  phases: ReadonlyMap<string, readonly Position[]>,
  count: number,
  below: Below,
): readonly ChosenCut[] => {
  const groups = [...phases].map(([phase, positions]) => ({
    phase,
    media: byMedium(positions).filter(({ length }) => length > 0),
  }));
  const chosen: ChosenCut[] = [];
  for (let turn = 0; chosen.length < count && groups.some(({ media }) => media.length > 0); turn += 1) {
    const { phase, media } = groups[turn % groups.length] ?? { phase: '', media: [] };
    const from = below(Math.max(1, media.length));
    const positions = media[from];
    const [position] = positions?.splice(below(positions.length), 1) ?? [];
    if (positions?.length === 0) media.splice(from, 1);
    if (position !== undefined) chosen.push({ phase, position, fate: fates[below(fates.length)] ?? 'flushed' });
  }
  return chosen;
};

/** After a write to the disk, and after one to the flash. */
const byMedium = (positions: readonly Position[]): Position[][] => {
  const [disk, flash]: [Position[], Position[]] = [[], []];
  for (const [index, position] of positions.entries())
    (position.variables === positions[index - 1]?.variables ? disk : flash).push(position);
  return [disk, flash];
};
