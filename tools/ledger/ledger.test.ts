import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { brokenCitations, testNames } from './citations.ts';
import { missionDocument } from './document.ts';
import { openRows, type Row } from './row.ts';
import { sections } from './rows.ts';

const root = join(import.meta.dirname, '../..');
const rows = sections.flatMap((section) => section.rows);
const read = (path: string): string | undefined => {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
};

describe('the ledger of the mission', () => {
  test('is what docs/mission.md says: else run tsx tools/ledger/main.ts', () => {
    expect(read('docs/mission.md')).toBe(missionDocument(sections));
  });

  test('cites only tests that exist', () => {
    expect(brokenCitations(rows, read)).toEqual([]);
  });

  test('has as many open rows as are recorded, so that the number changes only on purpose', () => {
    const recorded = JSON.parse(read('tools/ledger/open-rows.json') ?? '{}') as { readonly open: number };
    expect(recorded).toEqual({ open: openRows(rows).length });
  });

  test('names every row once, by its section and a slug', () => {
    for (const section of sections)
      for (const { id } of section.rows) expect(id).toMatch(new RegExp(`^${section.slug}/[a-z]+(-[a-z]+)*$`));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  });

  test('says what each row is in a sentence, and what is there in part only of open rows', () => {
    for (const { id, text, closedBy, partly } of rows) {
      for (const sentence of [text, ...(partly === undefined ? [] : [partly])]) expect(sentence, id).toMatch(/^[A-Z].+\.$/);
      expect(closedBy.length > 0 && partly !== undefined, id).toBe(false);
    }
  });
});

const citing = (...closedBy: Row['closedBy']): readonly Row[] => [{ id: 'a/row', text: 'A row.', duty: 'rule', closedBy }];
const file = [
  "test('stands alone', () => {});",
  "describe('a suite', () => {",
  "  test.each<[string, () => void]>([['(', () => {}]])('is deny without %s', () => {});",
  '  test.each([',
  "    ['one (of two)', 1],",
  "  ])('refuses %s, %d', () => {});",
  '  test.skipIf(!has(tool))(',
  "    'needs a tool',",
  '    () => {},',
  '  );',
  "  test('proves any > all', () => fc.assert(fc.property(fc.nat(), () => true)));",
  "  test('isn\\'t confused', () => {});",
  '});',
  `describe.skipIf(why)(\`on a TPM \${why ?? ''}\`, () => {});`,
  "test.skip('is switched off', () => {});",
  "test.todo('is to come', () => {});",
  "// test('was taken out', () => {});",
  "// test.each([1])('was taken out too', () => {});",
].join('\n');

describe('a citation', () => {
  test('leads to a test or suite by its name as it is written', () => {
    expect([...testNames(file)]).toEqual([
      'stands alone',
      'a suite',
      'is deny without %s',
      'refuses %s, %d',
      'needs a tool',
      'proves any > all',
      "isn't confused",
      'on a TPM',
    ]);
    expect(brokenCitations(citing('x.test.ts > proves any > all', 'hal/contract/x.ts > a suite'), () => file)).toEqual([]);
  });

  test.each<[string, Row['closedBy'][number], string]>([
    ['a test that is missing', 'x.test.ts > closes everything', 'a/row: x.test.ts has no test "closes everything"'],
    ['a part of a name', 'x.test.ts > stands', 'a/row: x.test.ts has no test "stands"'],
    ['a test that is switched off', 'x.test.ts > is switched off', 'a/row: x.test.ts has no test "is switched off"'],
    ['a file that is missing', 'y.test.ts > stands alone', 'a/row: there is no y.test.ts'],
    ['a file that holds no tests', 'hal/core/x.ts > stands alone', 'a/row: hal/core/x.ts is no test file'],
  ])('is refused to %s', (_, citation, sentence) => {
    expect(brokenCitations(citing(citation), (path) => (path === 'y.test.ts' ? undefined : file))).toEqual([sentence]);
  });
});

test('the page counts rows, names each file once, and keeps its tables whole', () => {
  const text = missionDocument([
    {
      slug: 'a',
      title: 'A section',
      about: 'About it.',
      rows: [
        ...citing('x.test.ts > one | two', 'x.test.ts > three'),
        { id: 'a/open', text: 'Another row.', duty: 'full', closedBy: [], partly: 'Half of it.' },
      ],
    },
  ]);
  expect(text).toContain('| A section | 2 | 1 | 1 |\n| All | 2 | 1 | 1 |\n');
  expect(text).toContain('| `a/row`<br>A row. | rule | closed | [x.test.ts](../x.test.ts): “one \\| two”, “three” |\n');
  expect(text).toContain('| `a/open`<br>Another row. | full | open | So far: Half of it. |\n');
});
