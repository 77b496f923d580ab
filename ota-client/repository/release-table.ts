/** The life of a release at the publisher. A halted one goes back to review: nothing is offered that nobody looked at again. */
import type { Table } from '#hal/core/table';

export type ReleaseState =
  | 'draft'
  | 'reviewed'
  | 'signed'
  | 'staged'
  | 'rolling'
  | 'halted'
  | 'complete'
  | 'revoked'
  | 'withdrawn';
export type ReleaseEvent = 'review' | 'sign' | 'stage' | 'roll' | 'halt' | 'complete' | 'revoke' | 'withdraw';

export const releases: Table<ReleaseState, ReleaseEvent, never> = {
  draft: { review: ['reviewed'], revoke: ['withdrawn'] },
  reviewed: { sign: ['signed'], revoke: ['revoked'] },
  /** Review again where another release of the class was published since: the signatures name an old version. */
  signed: { stage: ['staged'], review: ['reviewed'], revoke: ['revoked'] },
  staged: { roll: ['rolling'], revoke: ['revoked'] },
  rolling: { roll: ['rolling'], halt: ['halted'], complete: ['complete'], revoke: ['revoked'] },
  halted: { review: ['reviewed'], revoke: ['revoked'] },
  complete: { halt: ['halted'], revoke: ['revoked'] },
  /** Offered no more. The next list of its class that is published leaves it out; one can be signed for that alone. */
  revoked: { sign: ['revoked'], stage: ['withdrawn'], withdraw: ['withdrawn'] },
  withdrawn: {},
};

/** The states in which the director may name a release. */
export const isOffered = (state: ReleaseState): boolean => state === 'rolling' || state === 'complete';

/** The states in which a list of the class names a release. */
export const isListed = (state: ReleaseState): boolean => state === 'staged' || isOffered(state);
