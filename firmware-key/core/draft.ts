/** One step in the making: the state so far and the effects so far. Lives only inside `reduce`. */
import type { KeyCrypto } from './crypto.ts';
import type { Effect } from './effects.ts';
import { type KeyState, limits } from './state.ts';

export interface Draft {
  state: KeyState;
  readonly effects: Effect[];
  readonly crypto: KeyCrypto;
  readonly atMs: number;
  readonly entropy: Uint8Array;
  savesLedger: boolean;
}

export const set = (draft: Draft, change: Partial<KeyState>): void => {
  draft.state = { ...draft.state, ...change };
};

/**
 * A number that no message of this Key has had or will have: 64 are reserved in what is persisted before the first of
 * them is used, and after a power cut the rest of a reservation is skipped.
 */
export const nextSequence = (draft: Draft): number => {
  const { next, reservedUntil } = draft.state.sequences;
  const reserved = next < reservedUntil ? reservedUntil : next + limits.reservedSequences;
  set(draft, { sequences: { next: next + 1, reservedUntil: reserved } });
  return next;
};
