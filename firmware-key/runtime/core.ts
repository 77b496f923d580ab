/** The thinking side, wherever it runs: one input in, the effects out, the state inside. */
import type { KeyCrypto } from '../core/crypto.ts';
import type { Effect } from '../core/effects.ts';
import type { Input } from '../core/inputs.ts';
import { reduce } from '../core/reduce.ts';
import { factoryState } from '../core/state.ts';

export interface KeyCore {
  step(input: Input): readonly Effect[];
}

/** In this very process, without a sandbox. */
export const nativeCore = (crypto: KeyCrypto): KeyCore => {
  let state = factoryState;
  return {
    step(input) {
      const step = reduce(crypto, state, input);
      state = step.state;
      return step.effects;
    },
  };
};
