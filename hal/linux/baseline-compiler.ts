/**
 * WebAssembly that starts once and works little: V8's baseline compiler alone compiles it.
 *
 * A function of it that ran for long is compiled again by the optimizing compiler, on another thread. The policy engine
 * does most of what it ever does at its start. Measured of it, in processor time on a PC: 0.14 s to validate the policy with
 * that compiler and 0.05 s without, 31 and 38 µs for a decision afterwards: even after 14,000 decisions.
 */
import { setFlagsFromString } from 'node:v8';

/** V8's own (`wasm_tiering_budget`, src/flags/flag-definitions.h of V8 13.6). */
const ordinaryBudget = 13_000_000;
/** The most that it takes. */
const endlessBudget = 2_147_483_647;

/** What is instantiated within `load` keeps this for its life: an instance takes its budget when it is made. */
export const withBaselineCompiler = async <T>(load: () => Promise<T>): Promise<T> => {
  setFlagsFromString(`--wasm-tiering-budget=${endlessBudget}`);
  try {
    return await load();
  } finally {
    // Another value than at the start would make Node's own modules be compiled again when they are needed.
    setFlagsFromString(`--wasm-tiering-budget=${ordinaryBudget}`);
  }
};

/**
 * A module whose functions are validated as they are compiled, each before its first call, and not all at once: of 7000 a
 * start needs few. To load it took 12 ms instead of 27.
 *
 * @param compile of a module that is known to be valid: V8 ends the process where a function of it turns out not to be
 */
export const validatedLater = <T>(compile: () => T): T => {
  setFlagsFromString('--wasm-lazy-validation');
  try {
    return compile();
  } finally {
    setFlagsFromString('--no-wasm-lazy-validation');
  }
};
