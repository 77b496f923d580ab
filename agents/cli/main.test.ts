/** The real entry, in a process of its own: words, streams and exit code as a shell sees them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const entry = join(import.meta.dirname, 'main.ts');
const enigmctl = (...words: readonly string[]) => {
  const { ENIGM_RUN: _, ...environment } = process.env;
  const env = { ...environment, ENIGM_RUN: '/nowhere' };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', entry, ...words], { encoding: 'utf8', env });
  return { code: status, out: stdout, error: stderr };
};

test('a refusal is one JSON object on standard output, words on standard error, and an exit code', () => {
  const { code, out, error } = enigmctl('attest', 'eventlog', '/nowhere/boot.log', '--json');
  expect(code).toBe(4);
  expect(JSON.parse(out)).toEqual({ fault: { category: 'protocol', reason: 'file-unreadable' } });
  expect(error).toContain('protocol/file-unreadable');
});

test('alone it looks for the device where the environment says', () => {
  const { code, out } = enigmctl();
  expect(code).toBe(5);
  expect(out).toContain('no device answers in /nowhere');
});

test('what it was asked wrongly ends with exit code 2', () => {
  expect(enigmctl('nope')).toMatchObject({ code: 2, out: '' });
});
