/** The ledger as people read it: `docs/mission.md`. */
import { citationParts } from './citations.ts';
import { openRows, type Row, type Section } from './row.ts';

const introduction = `# The mission, row by row

What Enigm Device owes, and the tests that show it is there. A row is closed by tests that demonstrate all of it; what is
there in part is open, and says so. Open rows may only fall.

Duty: *full* is built here as a whole; *device* is the device's end, with a reference peer in \`sim\` as the far end;
*contract* is messages and a conformance test; *rule* holds for everything.

This page is made by \`tsx tools/ledger/main.ts\` from the tables in \`tools/ledger/rows\`. A test checks that it is
current, that every cited test exists, and that there are no more open rows than \`tools/ledger/open-rows.json\` records.`;

export const missionDocument = (sections: readonly Section[]): string =>
  `${[introduction, countsTable(sections), ...sections.map(sectionText)].join('\n\n')}\n`;

const countsTable = (sections: readonly Section[]): string => {
  const line = (title: string, rows: readonly Row[]) => {
    const open = openRows(rows).length;
    return [title, rows.length, rows.length - open, open];
  };
  return table(
    ['Section', 'Rows', 'Closed', 'Open'],
    [
      ...sections.map(({ title, rows }) => line(title, rows)),
      line(
        'All',
        sections.flatMap(({ rows }) => rows),
      ),
    ],
  );
};

const sectionText = ({ title, about, rows }: Section): string =>
  `## ${title}\n\n${about}\n\n${table(
    ['Row', 'Duty', 'State', 'Tests'],
    rows.map((row) => [`\`${row.id}\`<br>${row.text}`, row.duty, row.closedBy.length === 0 ? 'open' : 'closed', shownBy(row)]),
  )}`;

/** The tests, each file named once; of an open row what is there. */
const shownBy = ({ closedBy, partly }: Row): string => {
  const files = Map.groupBy(closedBy.map(citationParts), ({ path }) => path);
  const tests = [...files].map(
    ([path, citations]) => `[${path}](../${path}): ${citations.map(({ name }) => `“${name}”`).join(', ')}`,
  );
  return [...tests, ...(partly === undefined ? [] : [`So far: ${partly}`])].join('<br>');
};

const table = (head: readonly string[], lines: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
