/**
 * The life of a slot, as a table. What a server, a report or the network says has no edge here (invariant I6): a commit
 * stays one whatever becomes of its announcement.
 */
import type { Table } from '#hal/core/table';

export const slotStates = ['empty', 'writing', 'verified', 'trial', 'committed', 'superseded', 'failed', 'revoked'] as const;
export type SlotState = (typeof slotStates)[number];

export type SlotEvent =
  /** A release is written over whatever is there. */
  | 'rewrite'
  /** The whole slot was read back and is the image. */
  | 'read-back'
  /** The medium failed, or gave back something else too often. */
  | 'damage'
  | 'arm'
  /** The image that already runs committed in the other slot: it needs no trial of its own. */
  | 'keep'
  /** A person goes back to what ran before: it is tried anew. */
  | 'return'
  /** A start of the trial, which costs a try. */
  | 'try'
  /** No tries are left and another slot runs. */
  | 'exhaust'
  /** The health gate said no. */
  | 'give-up'
  | 'commit'
  /** The other slot was committed. */
  | 'other-commit'
  /** The floor has risen above the release in the slot. */
  | 'floor-rise';

/** What a transition orders of the boot loader. */
export type SlotAction = 'mark-unbootable' | 'arm-trial' | 'mark-fallback' | 'commit';

export const slotTable: Table<SlotState, SlotEvent, SlotAction> = {
  empty: { rewrite: ['writing', 'mark-unbootable'] },
  writing: { rewrite: ['writing', 'mark-unbootable'], 'read-back': ['verified'], damage: ['failed'] },
  verified: {
    rewrite: ['writing', 'mark-unbootable'],
    arm: ['trial', 'arm-trial'],
    keep: ['superseded', 'mark-fallback'],
  },
  trial: {
    rewrite: ['writing', 'mark-unbootable'],
    try: ['trial'],
    exhaust: ['failed'],
    'give-up': ['failed', 'mark-unbootable'],
    commit: ['committed', 'commit'],
  },
  committed: { 'other-commit': ['superseded'] },
  superseded: {
    rewrite: ['writing', 'mark-unbootable'],
    commit: ['committed', 'commit'],
    return: ['trial', 'arm-trial'],
    'floor-rise': ['revoked', 'mark-unbootable'],
  },
  /** Giving up again finishes what a cut left half done. */
  failed: { rewrite: ['writing', 'mark-unbootable'], 'give-up': ['failed', 'mark-unbootable'] },
  revoked: { rewrite: ['writing', 'mark-unbootable'] },
};
