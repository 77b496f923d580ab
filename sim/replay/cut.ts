/** What a power cut leaves of the writes of a log, by the guarantee that a flush gives and by no other. */
import type { Below } from './below.ts';
import type { LoggedWrite } from './write-log.ts';

/** `flushed`: what no flush made durable is gone. `dropped`: each of it may be. `torn`: the last write came to a part of it. */
export const fates = ['flushed', 'dropped', 'torn'] as const;
export type Fate = (typeof fates)[number];

export interface Cut {
  /** So many entries of the log had been noted. */
  readonly entries: number;
  readonly fate: Fate;
}

export interface Survivor {
  readonly write: LoggedWrite;
  /** The first so many sectors of it. */
  readonly sectors: number;
}

/** How many sectors of a write that no flush made durable are on the medium. */
const sectorsLeft: Readonly<Record<Fate, (sectors: number, isLast: boolean, below: Below) => number>> = {
  flushed: () => 0,
  dropped: (sectors, _, below) => (below(2) === 0 ? 0 : sectors),
  torn: (sectors, isLast, below) => (isLast ? below(sectors) : sectors),
};

/** @param below a number from 0 to under its limit, of the seed. @returns in the order in which they were written */
export const survivors = (log: readonly LoggedWrite[], { entries, fate }: Cut, below: Below): readonly Survivor[] => {
  const noted = log.slice(0, entries);
  const durable = noted.findLastIndex(({ isFlush }) => isFlush) + 1;
  const last = noted.findLastIndex(({ dataSector }) => dataSector !== undefined);
  return noted.flatMap((write, index) => {
    if (write.dataSector === undefined) return [];
    const sectors = index < durable ? write.sectors : sectorsLeft[fate](write.sectors, index === last, below);
    return sectors === 0 ? [] : [{ write, sectors }];
  });
};
