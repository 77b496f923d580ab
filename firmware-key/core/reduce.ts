/**
 * The Key: `(state, input) → (state, effects)`, and nothing else. No clock, no randomness, no input or output; the same
 * bytes run in Node, in QuickJS and on the board.
 */
import { letTimePass, nextMs, spend } from './clockwork.ts';
import type { KeyCrypto } from './crypto.ts';
import type { Draft } from './draft.ts';
import type { Domain, Effect } from './effects.ts';
import { handle } from './handle.ts';
import type { Input } from './inputs.ts';
import { domainsOf } from './power.ts';
import { persistChanges } from './records.ts';
import { start } from './start.ts';
import type { KeyState } from './state.ts';

export interface Step {
  readonly state: KeyState;
  /** In order: what is persisted, what is powered, what is done, how long to sleep. */
  readonly effects: readonly Effect[];
}

export const reduce = (crypto: KeyCrypto, before: KeyState, input: Input): Step => {
  const { atMs, entropy } = input;
  const draft: Draft = { state: before, effects: [], crypto, atMs, entropy, savesLedger: false };
  let baseline = before;
  if (input.is === 'boot') baseline = start(draft, input.records);
  else {
    spend(draft);
    handle(draft, input);
  }
  letTimePass(draft);
  const { state, effects } = draft;
  const domains = poweredIn(state);
  if (input.is === 'boot' || domains.join() !== poweredIn(before).join()) effects.unshift({ do: 'power', domains });
  persistChanges(baseline, draft);
  const untilMs = nextMs(state);
  effects.push(untilMs === undefined ? { do: 'sleep' } : { do: 'sleep', untilMs });
  return { state, effects };
};

/** The parts of the board that exist in this state. */
export const poweredIn = ({ visible, covert }: KeyState): readonly Domain[] =>
  domainsOf(visible, covert !== undefined && covert.beginMs === undefined);
