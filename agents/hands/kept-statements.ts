/**
 * The signed statements of what lies in the slots, kept when they are written: to go back to a release the hands open its
 * original envelope again (SR-01), and whoever asks need not have it.
 */
import { deny, ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import { type SlotName, slotNames } from '#hal/ports/slots';

export interface KeptStatements {
  /** In place of what was kept of this slot. */
  keep(slot: SlotName, envelope: Uint8Array): Result<void>;
  /** All that were kept, in no order; whether one still counts is for who opens it. */
  all(): Result<readonly Uint8Array[]>;
}

/** Two hybrid signatures and 140 bytes are 7 KiB. */
const maxEnvelopeBytes = 64 * 1024;

/** @param factory of the release that the device left its factory with, which no hands wrote */
export const keptStatements = (store: Pick<DurableStore, 'get' | 'put'>, factory?: Uint8Array): KeptStatements => {
  const key = (slot: SlotName) => `statement-${slot}`;
  return {
    keep: (slot, envelope) =>
      envelope.length <= maxEnvelopeBytes ? store.put(key(slot), envelope) : deny('protocol', 'too-large', 'release statement'),
    all() {
      const kept: Uint8Array[] = factory === undefined ? [] : [factory];
      for (const slot of slotNames) {
        const read = store.get(key(slot));
        if (!read.ok) return read;
        if (read.value !== undefined) kept.push(read.value);
      }
      return ok(kept);
    },
  };
};
