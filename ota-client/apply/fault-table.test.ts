/** The fault table of updates names tests: each file that a row names has a test that names the row. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const project = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(project, path), 'utf8');

interface TableRow {
  readonly numbers: readonly number[];
  readonly files: readonly string[];
}

const rowsOf = (document: string): readonly TableRow[] => {
  const [, section = ''] = document.split('\n## Fault table of updates\n');
  const [table = ''] = section.split('\n## ');
  return [...table.matchAll(/^\| (\d[\d, ]*) \|.*\| ([^|]*) \|$/gm)].map(([, numbers = '', shown = '']) => ({
    numbers: numbers.split(', ').map(Number),
    files: [...shown.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
  }));
};

/** `row 3`, `rows 3 and 4`, `rows 3, 4 and 5`, in the names of tests and suites. */
const namedRows = (text: string): ReadonlySet<number> =>
  new Set(
    [...text.matchAll(/['`(]rows? (\d+(?:(?:, | and )\d+)*)/g)].flatMap(([, numbers = '']) =>
      numbers.split(/, | and /).map(Number),
    ),
  );

const rows = rowsOf(read('docs/threat-model.md'));

test('has fifty rows, and each says who shows it', () => {
  expect(rows.flatMap(({ numbers }) => numbers)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
  expect(rows.filter(({ files }) => files.length === 0)).toEqual([]);
});

test('each row is in the name of a test, in the files that it names', () => {
  const missing = rows.flatMap(({ numbers, files }) => {
    const named = files.map((file) => [file, namedRows(read(file))] as const);
    const unnamed = numbers.filter((number) => files.length > 0 && !named.some(([, has]) => has.has(number)));
    const idle = named.filter(([, has]) => !numbers.some((number) => has.has(number)));
    return [...unnamed.map((number) => `row ${number}`), ...idle.map(([file]) => `${file} of row ${numbers.join(', ')}`)];
  });
  expect(missing).toEqual([]);
});

test('a file that names no row is found', () => {
  expect(namedRows("test('rows 3, 4 and 15: x', …); describe('the journal (row 5)'); // row 7")).toEqual(new Set([3, 4, 15, 5]));
});
