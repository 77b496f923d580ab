/**
 * Contracts of ports as tables of clauses: one sentence each, and how it is found out whether it holds. Tests run them
 * over the adapters of this project (`clauses-test.ts`), `npm run contract` over those of somebody else.
 */
import { codeOf, type Result } from '#hal/core/result';

export interface Clause<Subject> {
  /** What every implementation does. */
  readonly says: string;
  /** Throws a `BrokenClause` where it does not. @param start a new subject each time */
  check(start: () => Promise<Subject>): Promise<void>;
}

/** Its message says what was seen, and what has to be seen instead. */
export class BrokenClause extends Error {
  override readonly name = 'BrokenClause';
}

/** @param sentence what was seen, and what has to be seen instead */
export const demand: (holds: boolean, sentence: string) => asserts holds = (holds, sentence) => {
  if (!holds) throw new BrokenClause(sentence);
};

/** @param call as its caller would write it. @returns the value; a refusal breaks the clause */
export const granted = <T>(call: string, result: Result<T>): T => {
  if (result.ok) return result.value;
  const detail = result.fault.detail === undefined ? '' : ` (${result.fault.detail})`;
  throw new BrokenClause(`${call} is refused with ${codeOf(result.fault)}${detail}; it has to succeed`);
};

/** @param code the only refusal that will do. */
export const refused = (call: string, result: Result<unknown>, code: string): void => {
  demand(!result.ok, `${call} succeeds; it has to be refused with ${code}`);
  demand(codeOf(result.fault) === code, `${call} is refused with ${codeOf(result.fault)}; it has to be ${code}`);
};

/** Two values by their shape. @param what the thing that has it, as the subject of a sentence */
export const same = (what: string, seen: unknown, wanted: unknown): void => {
  const [is, must] = [JSON.stringify(seen), JSON.stringify(wanted)];
  demand(is === must, `${what} is ${is}; it has to be ${must}`);
};
