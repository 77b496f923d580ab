/** The life of a release at the publisher. A halted one goes back to review: nothing is offered that nobody looked at again. */
import type { Table } from '#hal/core/table';

export type ReleaseState = 'draft' | 'reviewed' | 'signed' | 'staged' | 'rolling' | 'halted' | 'complete';
export type ReleaseEvent = 'review' | 'sign' | 'stage' | 'roll' | 'halt' | 'complete';

export const releases: Table<ReleaseState, ReleaseEvent, never> = {
  draft: { review: ['reviewed'] },
  reviewed: { sign: ['signed'] },
  /** Review again where another release of the class was published since: the signatures name an old version. */
  signed: { stage: ['staged'], review: ['reviewed'] },
  staged: { roll: ['rolling'] },
  rolling: { roll: ['rolling'], halt: ['halted'], complete: ['complete'] },
  halted: { review: ['reviewed'] },
  complete: { halt: ['halted'] },
};

/** The states in which the director may name a release. */
export const isOffered = (state: ReleaseState): boolean => state === 'rolling' || state === 'complete';
