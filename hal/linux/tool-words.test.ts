import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const program = `import { toolWords } from '#hal/linux/tool-words';
const { values, positionals } = toolWords('usage: tool [--rounds N]', { rounds: { type: 'string', default: '3' } }, process.env.MORE === 'yes');
console.log(values.rounds, ...positionals);`;
const run = (words: readonly string[], more = 'no') => {
  const options = ['--no-warnings', '--input-type=module', '--eval', program, '--', ...words];
  const cwd = join(import.meta.dirname, '../..');
  const { status, stdout, stderr } = spawnSync(process.execPath, options, { cwd, encoding: 'utf8', env: { MORE: more } });
  return { status, stdout, stderr };
};

test('gives a tool what it was told, and what it need not be told', () => {
  expect(run([])).toMatchObject({ status: 0, stdout: '3\n' });
  expect(run(['--rounds', '5', 'a', 'b'], 'yes')).toMatchObject({ status: 0, stdout: '5 a b\n' });
});

test('says how a tool is used, and nothing else happens', () => {
  expect(run(['--help', '--rounds', '5'])).toEqual({ status: 0, stdout: 'usage: tool [--rounds N]\n', stderr: '' });
});

test.each([[['--round', '5']], [['more']], [['--rounds']]])(
  'refuses %j in a sentence, with the usage and exit code 2',
  (words) => {
    const { status, stdout, stderr } = run(words);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^\S.+\n\nusage: tool \[--rounds N\]\n$/);
  },
);
