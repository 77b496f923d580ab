/**
 * The outcomes that count, kept over a restart as they came: signed. Were they held in memory alone, whoever makes the
 * mind fall over would be rid of them, and the sequence would let none of them in again.
 */
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import type { OutcomeShelf } from '#protos/gen/types';

const key = 'outcomes';

export const maxOutcomes = 64;

export const outcomeShelf = (store: Pick<DurableStore, 'get' | 'put'>) => ({
  read(): Result<OutcomeShelf> {
    const stored = store.get(key);
    if (!stored.ok) return stored;
    return stored.value === undefined
      ? ok({ sequence: 0, issuedMs: 0, envelopes: [] })
      : decodeMessage('OutcomeShelf', stored.value);
  },
  /** Durable before it returns. */
  write: (shelf: OutcomeShelf): Result<void> => store.put(key, encodeMessage('OutcomeShelf', shelf)),
});
