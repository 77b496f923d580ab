/** A table of clauses as tests. */
import { describe, test } from 'vitest';
import type { Clause } from './clause.ts';

/** @param name of the port, then of the adapter: `BootControl: record in memory` */
export const testClauses = <Subject>(name: string, clauses: readonly Clause<Subject>[], start: () => Promise<Subject>): void => {
  describe(name, () => {
    for (const clause of clauses) test(clause.says, () => clause.check(start));
  });
};
