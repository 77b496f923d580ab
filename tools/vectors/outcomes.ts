/** The comparisons that the kinds share. */
import { equalBytes } from '#hal/core/bytes';
import type { Fields } from './fields.ts';
import { failed, type Outcome, passed } from './kind.ts';

/** `acceptable` occurs for X25519 only, which decides it by itself; elsewhere it is an unknown word and a failure. */
export const isValid = (test: Fields): boolean => test.oneOf('result', 'valid', 'invalid') === 'valid';

/** The bytes must be there and be these. */
export const expectBytes = (what: string, actual: Uint8Array | undefined, expected: Uint8Array): Outcome => {
  if (actual === undefined) return failed(`${what} was refused`);
  return equalBytes(actual, expected) ? passed : failed(`${what} differs`);
};

/** Refused, in either way the interface has: `undefined`, or a `RangeError` for one's own key or nonce of a wrong size. */
export const expectRefusal = (what: string, run: () => Uint8Array | object | undefined): Outcome => {
  try {
    return run() === undefined ? passed : failed(`${what} was accepted`);
  } catch (error) {
    if (error instanceof RangeError) return passed;
    throw error;
  }
};

/** The first that did not pass; passed if all did. */
export const all = (...checks: readonly (() => Outcome)[]): Outcome => {
  for (const check of checks) {
    const outcome = check();
    if (outcome.is !== 'passed') return outcome;
  }
  return passed;
};
