/** Moves slots along the table: refuses what has no cell, and writes ledger and boot loader in the order that a cut cannot hurt. */
import { inTurn } from '#hal/core/in-turn';
import { deny, done, ok, type Result } from '#hal/core/result';
import { step } from '#hal/core/table';
import type { BootControl, BootState } from '#hal/ports/boot-control';
import type { SlotName } from '#hal/ports/slots';
import type { Ledger, LedgerStore, SlotEntry } from './ledger.ts';
import { type SlotAction, type SlotEvent, slotTable } from './table.ts';
import { type SlotsView, settledLedger, viewSlots } from './view.ts';

export interface SlotKeeper {
  /** What each slot is now, from the media. A trial that has run out of tries is written down as failed first. */
  view(): Promise<Result<SlotsView>>;
  /**
   * @param edit what the ledger says of the slot from now on
   * @returns nothing, `protocol/event-refused`, `integrity/read-back-mismatch`, or a fault of the media
   */
  change(slot: SlotName, event: SlotEvent, edit?: Partial<SlotEntry>): Promise<Result<void>>;
  /** How far a slot has been written; no change of state. */
  note(slot: SlotName, edit: Partial<SlotEntry>): Promise<Result<void>>;
}

/** Tries of a trial. */
const trialTries = 3;

export const slotKeeper = (boot: BootControl, ledger: LedgerStore): SlotKeeper => {
  const read = async (): Promise<Result<{ readonly view: SlotsView; readonly ledger: Ledger }>> => {
    const state = await boot.read();
    if (!state.ok) return state;
    const kept = await ledger.read();
    if (!kept.ok) return kept;
    const view = viewSlots(state.value, kept.value);
    const settled = settledLedger(view, kept.value);
    if (settled === undefined) return ok({ view, ledger: kept.value });
    const written = await ledger.write(settled);
    return written.ok ? ok({ view, ledger: settled }) : written;
  };
  const order = async (slot: SlotName, action: SlotAction): Promise<Result<void>> => {
    const { run, holds } = orders[action];
    const ran = await run(boot, slot);
    if (!ran.ok) return ran;
    const after = await boot.read();
    if (!after.ok) return after;
    return holds(after.value, slot) ? done : deny('integrity', 'read-back-mismatch', `boot loader: ${action} ${slot}`);
  };
  const note = async (slot: SlotName, edit: Partial<SlotEntry>): Promise<Result<void>> => {
    const kept = await ledger.read();
    return kept.ok ? ledger.write({ ...kept.value, [slot]: { ...kept.value[slot], ...edit } }) : kept;
  };
  const change: SlotKeeper['change'] = async (slot, event, edit) => {
    const now = await read();
    if (!now.ok) return now;
    const next = step(slotTable, now.value.view.slots[slot].state, event);
    if (!next.ok) return next;
    // A slot may not be startable once the ledger says that it is being written; anything else is written down first.
    const isBootFirst = event === 'rewrite';
    if (edit !== undefined && !isBootFirst) {
      const noted = await note(slot, edit);
      if (!noted.ok) return noted;
    }
    for (const action of next.value.actions) {
      const ordered = await order(slot, action);
      if (!ordered.ok) return ordered;
    }
    return edit !== undefined && isBootFirst ? note(slot, edit) : done;
  };
  // Reading, changing and writing the ledger back may not be mixed with another's.
  const exclusive = inTurn();
  return {
    view: () =>
      exclusive(async () => {
        const now = await read();
        return now.ok ? ok(now.value.view) : now;
      }),
    note: (slot, edit) => exclusive(() => note(slot, edit)),
    change: (slot, event, edit) => exclusive(() => change(slot, event, edit)),
  };
};

interface Order {
  readonly run: (boot: BootControl, slot: SlotName) => Promise<Result<void>>;
  readonly holds: (state: BootState, slot: SlotName) => boolean;
}

/** Each order, and what must then be read from the boot loader: adapters read back too, but some stores lie. */
const orders: Readonly<Record<SlotAction, Order>> = {
  'mark-unbootable': {
    run: (boot, slot) => boot.markUnbootable(slot),
    holds: ({ slots }, slot) => slots[slot].state === 'unbootable',
  },
  'arm-trial': {
    run: (boot, slot) => boot.armTrial(slot, trialTries),
    holds: ({ slots }, slot) => slots[slot].state === 'trial' && slots[slot].triesLeft === trialTries,
  },
  'mark-fallback': {
    run: (boot, slot) => boot.markFallback(slot),
    holds: ({ slots, preferred }, slot) => slots[slot].state === 'good' && preferred !== slot,
  },
  commit: {
    run: (boot, slot) => boot.commit(slot),
    holds: ({ slots, preferred }, slot) => slots[slot].state === 'good' && preferred === slot,
  },
};
