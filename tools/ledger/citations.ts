/** Whether the tests that the ledger cites are there. They are read, not run: the tiers run them. */
import type { Row } from './row.ts';

/** A test file, or a contract suite, which test files run. */
const mayBeCited = /\.test\.ts$|^hal\/contract\/[a-z-]+\.ts$/;

/**
 * The name of a test or suite where one begins: `test('…',`, `test.concurrent('…',`, `describe('…',`, or the second call of `test.each(…)('…',`
 * and `test.skipIf(…)('…',`. A test that is switched off (`test.skip`, `test.todo`, a comment) has no name here.
 */
const named =
  /(?:^\s*(?:test|describe)(?:\.concurrent)?|^(?!\s*\/\/).*\))\(\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`)\s*,/gm;

/** Names as they are written, `%s` included; what a template puts in is left out. */
export const testNames = (text: string): ReadonlySet<string> =>
  new Set(
    [...text.matchAll(named)].map(([, single, double, template = '']) =>
      (single ?? double ?? template.replaceAll(/\$\{[^}]*\}/g, '').trim()).replaceAll(/\\(.)/g, '$1'),
    ),
  );

/**
 * @param read gives a file of the project by its path from the root, undefined where there is none
 * @returns a sentence for each citation that leads nowhere
 */
export const brokenCitations = (rows: readonly Row[], read: (path: string) => string | undefined): readonly string[] =>
  rows.flatMap(({ id, closedBy }) =>
    closedBy.flatMap((citation) => {
      const { path, name } = citationParts(citation);
      if (!mayBeCited.test(path)) return [`${id}: ${path} is no test file`];
      const text = read(path);
      if (text === undefined) return [`${id}: there is no ${path}`];
      return testNames(text).has(name) ? [] : [`${id}: ${path} has no test "${name}"`];
    }),
  );

export const citationParts = (citation: string): { readonly path: string; readonly name: string } => {
  const [path = '', ...name] = citation.split(' > ');
  return { path, name: name.join(' > ') };
};
