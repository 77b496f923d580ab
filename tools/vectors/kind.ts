/** What a kind of vector file is to the runner: how it is recognised, and what one test of it gives on one back end. */
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Fields } from './fields.ts';

/** A skip names what the back end cannot do; a failure says what was expected and what came. */
export type Outcome =
  | { readonly is: 'passed' }
  | { readonly is: 'failed'; readonly reason: string }
  | { readonly is: 'skipped'; readonly reason: string };

export const passed: Outcome = { is: 'passed' };
export const failed = (reason: string): Outcome => ({ is: 'failed', reason });
export const skipped = (reason: string): Outcome => ({ is: 'skipped', reason });

export interface Test {
  /** `tcId 7`, or what the file has instead. */
  readonly name: string;
  run(backend: CryptoBackend): Outcome;
}

export interface Kind {
  readonly name: string;
  /** @param file the parsed JSON of a whole file */
  recognises(file: unknown): boolean;
  /** May throw `MalformedVectors`, as may a test: both count as failures. */
  tests(file: unknown): readonly Test[];
}

/** The usual layout of Wycheproof: groups of tests, told apart by `algorithm` and `schema`. */
export interface WycheproofKind {
  readonly name: string;
  readonly algorithms: readonly string[];
  /** How the name of the schema begins; a version may follow. */
  readonly schema: string;
  run(test: Fields, group: Fields, backend: CryptoBackend): Outcome;
}
