/** The contract runner over boards as somebody else writes them; the good one is the example of docs/porting.md. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contract } from './command.ts';
import { contractPorts } from './ports.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/porting.md'), 'utf8');
const [, example = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(page) ?? [];

const run = async (...words: readonly string[]) => {
  const said: string[] = [];
  const complained: string[] = [];
  const code = await contract(words, { out: (line) => said.push(line), error: (line) => complained.push(line) });
  return { code, said: said.join('\n'), complained: complained.join('\n') };
};

describe('the contract runner', () => {
  let folder = '';
  beforeAll(() => {
    mkdirSync(join(root, 'build'), { recursive: true });
    folder = mkdtempSync(join(root, 'build/board-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const board = (name: string, source: string): string => {
    const path = join(folder, name);
    writeFileSync(path, source);
    return path;
  };

  test('passes the board of docs/porting.md, which has 40 lines and types that hold', () => {
    const path = board('my-board.ts', example);
    const lines = example.split('\n');
    const begin = lines.findIndex((line) => line.startsWith('export const myBootControl'));
    expect(lines.indexOf('};', begin) - begin).toBeLessThanOrEqual(40);
    board('tsconfig.json', JSON.stringify({ extends: '../../tsconfig.json', include: ['my-board.ts'] }));
    const types = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { cwd: root, encoding: 'utf8' });
    expect([types.stdout, types.status]).toEqual(['', 0]);
    const words = ['--no-warnings', join(root, 'tools/contract/main.ts'), path];
    const { stdout, stderr, status } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toContain('\n6 passed, 0 failed\n');
    expect(status).toBe(0);
  });

  const trial = 'FAILED  a trial comes first, each start costs one try, and only the trial loses tries';
  const committed = 'FAILED  a committed slot comes first for good; the other stays startable';
  const limits = 'FAILED  refuses tries that are no whole number from 1 to 7, and changes nothing';
  test.each([
    [
      'starts no trial',
      'tries > 0 ? kept.enigm_trial : ',
      '',
      trial,
      `the slot of start 1 after armTrial('b', 2) is "a"; it has to be "b"`,
    ],
    [
      'counts no try',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of the example
      'enigm_tries: `${tries - 1}`',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the line that it becomes
      'enigm_tries: `${tries}`',
      trial,
      `slot b in start 1 after armTrial('b', 2) is "trial, 2 left"; it has to be "trial, 1 left"`,
    ],
    [
      'takes any tries',
      'tries >= 1 && ',
      '',
      limits,
      "armTrial('b', 0) succeeds; it has to be refused with protocol/field-invalid",
    ],
    ['does not prefer', "set(slot, 'first')", "set(slot, 'last')", committed, `after commit('b') is "a"; it has to be "b"`],
    [
      'keeps nothing',
      'kept = { ...kept, ...variables };',
      '',
      trial,
      "armTrial('b', 2) is refused with unavailable/storage-failed (the environment is not what was written); it has to succeed",
    ],
    [
      'throws',
      "commit: (slot) => set(slot, 'first')",
      "commit: () => Promise.reject(new Error('no bus'))",
      committed,
      'it threw "no bus"; a refusal has to be a value, { ok: false, fault: { category, reason } }',
    ],
    [
      'does not answer',
      "commit: (slot) => set(slot, 'first')",
      'commit: () => new Promise(() => undefined)',
      committed,
      'no answer within 2 s; every call has to end',
    ],
  ])('says of a board that %s what is wrong with it', async (name, line, other, clause, sentence) => {
    expect(example.split(line)).toHaveLength(2);
    const path = board(`${name.replaceAll(' ', '-')}.ts`, example.replace(line, other));
    const { code, said } = await run('--timeout', '2', path);
    const lines = said.split('\n').map((text) => text.trim());
    expect(lines[lines.indexOf(clause) + 1]).toContain(sentence);
    expect(code).toBe(1);
  });

  test('holds every port that a module exports to its own contract, and says so in JSON', async () => {
    const path = board(
      'stores.ts',
      `import { memoryStore } from '#hal/memory/durable-store';
       const kept = new Map();
       export const durableStore = async () => memoryStore(kept);
       export const slots = 'none';`,
    );
    const { code, said } = await run('--json', path);
    expect(code).toBe(1);
    const { ports } = JSON.parse(said) as { ports: { port: string; clauses: { says: string; broken?: string }[] }[] };
    expect(ports.map(({ port, clauses }) => [port, clauses.every(({ broken }) => broken === undefined)])).toEqual([
      ['Slots', false],
      ['DurableStore', true],
    ]);
    expect(ports[0]?.clauses[0]?.broken).toBe('the export slots is no function; it has to be one, without parameters');
  });

  test.each([
    [[], 'name one file'],
    [['--what'], "Unknown option '--what'"],
    [['/nowhere/board.ts'], 'there is no /nowhere/board.ts'],
    [['--timeout', 'soon', 'board.ts'], '--timeout soon: expected seconds'],
  ])('does not run by the words %j', async (words, sentence) => {
    const { code, complained } = await run(...words);
    expect(code).toBe(2);
    expect(complained).toContain(sentence);
  });

  test('says what is missing where a file cannot be loaded, or exports no port', async () => {
    const unread = await run(board('broken.ts', 'export const = ;'));
    expect([unread.code, unread.complained]).toEqual([2, expect.stringContaining('broken.ts cannot be loaded')]);
    const empty = await run(board('empty.ts', 'export const board = 1;'));
    expect([empty.code, empty.complained]).toEqual([2, expect.stringContaining('exports none of bootControl, slots')]);
  });

  test('explains every export that it looks for', async () => {
    const { code, said } = await run('--help');
    expect(code).toBe(0);
    for (const { name, exported } of contractPorts) expect(said).toMatch(new RegExp(`^  ${exported} +${name}: `, 'm'));
  });
});
