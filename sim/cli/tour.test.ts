import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { day } from '#sim/scenarios/day';
import { blocksOf, isShown, walker } from './tour.fixture.ts';

const fence = '```';
const box = (language: string, ...lines: readonly string[]) => [`${fence}${language}`, ...lines, fence, ''].join('\n');
const walked = async (...boxes: readonly string[]) => {
  await using shell = walker('/', { PATH: process.env['PATH'] });
  const said: (string | undefined)[] = [];
  for (const block of blocksOf(boxes.join('\n'))) said.push(await shell.walk(block));
  return said;
};

describe('a page that is walked', () => {
  test('is commands in their order, each with its exit code, and what stands beneath them', () => {
    const page = [
      '# Title',
      '',
      box('sh', 'one', 'two \\', '  three  # exit code 3'),
      box('text', 'said'),
      'Words.',
      box('sh', 'four'),
    ];
    expect(blocksOf(page.join('\n'))).toEqual([
      {
        commands: [
          { text: 'one', exitCode: 0 },
          { text: 'two \\\n  three  # exit code 3', exitCode: 3 },
        ],
        shown: 'said',
      },
      { commands: [{ text: 'four', exitCode: 0 }], shown: undefined },
    ]);
  });

  test('has no box that nobody would walk', () => {
    for (const boxes of [
      [box('bash', 'one')],
      [box('', 'one')],
      [box('text', 'one')],
      [box('sh', 'one'), 'Words, `code`.', box('text', 'two')],
    ])
      expect(() => blocksOf(boxes.join('\n'))).toThrow('neither commands nor beneath them');
  });

  test.each([
    ['one', 'one\n', true],
    ['one', 'one\ntwo\n', false],
    ['two', 'one\ntwo\n', false],
    ['one\n…', 'one\ntwo\nthree\n', true],
    ['…\nthree', 'one\ntwo\nthree\n', true],
    ['one\n…\nthree', 'one\nthree\n', true],
    ['one\n…\ntwo', 'one\ntwo\nthree\n', false],
    ['… records, … s', '12 records, 0.3 s\n', true],
    ['… records', '12 findings\n', false],
    ['a.c (d)', 'abc (d)\n', false],
    ['', '\n', true],
  ])('shows as %j what prints %j: %s', (shown, printed, is) => {
    expect(isShown(shown, printed)).toBe(is);
  });

  test('is right where every command ends and prints as it says, in one shell', async () => {
    expect(
      await walked(
        box('sh', 'cd /usr', 'name=enigm'),
        box('sh', 'pwd', 'printf "%s " $name; cat; echo to the other stream >&2', 'false  # exit code 1'),
        box('text', '/usr', 'enigm to … stream'),
      ),
    ).toEqual([undefined, undefined]);
  });

  test('is wrong where a command fails, does not fail, is not there, or prints something else', async () => {
    const said = await walked(
      box('sh', 'echo before; false'),
      box('sh', 'true  # exit code 3'),
      box('sh', 'no-such-command'),
      box('sh', 'echo seven'),
      box('text', 'eight'),
    );
    expect(said[0]).toBe('echo before; false\nends with 1, and the page says 0; printed:\nbefore\n');
    expect(said[1]).toContain('ends with 0, and the page says 3');
    expect(said[2]).toContain('ends with 127');
    expect(said[3]).toBe('echo seven\nprints:\nseven\n\nand the page shows:\neight');
    await expect(walked(box('sh', 'exit 0'))).rejects.toThrow('the shell has ended');
  });
});

test('the tour says why every step of the day is there, in its order', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/tour.md'), 'utf8');
  const told = [...page.matchAll(/^\| `([a-z]+)` \| \S.* \|$/gm)].map(([, step]) => step);
  expect(told).toEqual(day.map(({ step }) => step));
});
