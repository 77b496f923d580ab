/** What each slot is: the boot loader's word on starting it and the ledger's on its content, put together. */
import type { BootState, RunningSlot } from '#hal/ports/boot-control';
import { type SlotName, slotNames } from '#hal/ports/slots';
import type { Ledger, ReleaseFacts, SlotEntry } from './ledger.ts';
import type { SlotState } from './table.ts';

export interface SlotView {
  readonly state: SlotState;
  /** 0 unless `trial`. */
  readonly triesLeft: number;
  readonly release?: ReleaseFacts;
  /** Durable segments from the first on, while `writing`. */
  readonly writtenSegments: number;
  readonly mismatches: number;
  /** Why it failed; '' otherwise. */
  readonly reason: string;
}

export interface SlotsView {
  readonly running: RunningSlot;
  readonly slots: Readonly<Record<SlotName, SlotView>>;
}

/**
 * Every combination has a meaning, so no cut between two writes can make a state of its own:
 * the boot loader decides first, the ledger says what lies in a slot that may not be started.
 */
export const viewSlots = (boot: BootState, ledger: Ledger): SlotsView => ({
  running: boot.running,
  slots: { a: viewSlot('a', boot, ledger.a), b: viewSlot('b', boot, ledger.b) },
});

const viewSlot = (name: SlotName, boot: BootState, entry: SlotEntry): SlotView => {
  const state = stateOf(name, boot, entry);
  const triesLeft = state === 'trial' ? boot.slots[name].triesLeft : 0;
  const facts = { triesLeft, writtenSegments: entry.writtenSegments, mismatches: entry.mismatches };
  const release = entry.release === undefined ? {} : { release: entry.release };
  const reason = state === 'failed' && entry.reason === '' ? 'tries-exhausted' : entry.reason;
  return { state, ...facts, ...release, reason };
};

const stateOf = (name: SlotName, boot: BootState, entry: SlotEntry): SlotState => {
  const { state, triesLeft } = boot.slots[name];
  switch (state) {
    case 'good':
      return boot.preferred === name ? 'committed' : 'superseded';
    case 'trial':
      if (entry.content === 'failed') return 'failed';
      // The start that spent the last try may still commit.
      return triesLeft > 0 || boot.running.slot === name ? 'trial' : 'failed';
    case 'unbootable':
      if (entry.content === 'none') return 'empty';
      return entry.reason === revokedReason ? 'revoked' : entry.content;
  }
};

/**
 * The ledger after a start that found a trial without tries: that it failed, and why, is written down before the slot is
 * touched, so that the release is not taken for a good one later.
 * @returns undefined where nothing is to be written
 */
export const settledLedger = ({ slots }: SlotsView, ledger: Ledger): Ledger | undefined => {
  const settle = (name: SlotName): SlotEntry =>
    slots[name].state === 'failed' && ledger[name].content !== 'failed'
      ? { ...ledger[name], content: 'failed', reason: slots[name].reason }
      : ledger[name];
  const settled = { a: settle('a'), b: settle('b') };
  return settled.a === ledger.a && settled.b === ledger.b ? undefined : settled;
};

/** The reason under which a slot below the floor is kept. */
export const revokedReason = 'below-floor';

/** Slots that may be started without a trial. */
export const startable = ({ slots }: SlotsView): readonly SlotName[] =>
  slotNames.filter((name) => slots[name].state === 'committed' || slots[name].state === 'superseded');
