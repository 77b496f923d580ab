/** A folder is whatever somebody put on a stick: a device, which is not trusted either, gets of it what a repository serves. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { openCarried } from './carried-release.ts';

const directory = mkdtempSync(join(tmpdir(), 'enigm-carried-'));
const place = join(directory, 'stick');
const secret = join(directory, 'secret');
beforeAll(() => {
  for (const name of ['metadata', 'targets/os', 'log', 'keys']) mkdirSync(join(place, name), { recursive: true });
  for (const name of ['metadata/1.root.json', 'targets/os/file', 'log/checkpoint', 'keys/first.json', 'office.json'])
    writeFileSync(join(place, name), name);
  mkdirSync(secret);
  writeFileSync(join(secret, 'file'), 'secret');
});
afterAll(() => rmSync(directory, { recursive: true }));
const read = (path: string, from = place): string | undefined => {
  const part = unwrap(unwrap(openCarried(from)).read(path, 0, 1024));
  return part === undefined ? undefined : Buffer.from(part).toString('utf8');
};

test.each(['metadata/1.root.json', 'targets/os/file', 'log/checkpoint'])('%s is read', (path) => {
  expect(read(path)).toBe(path);
});

test('what lies beside a repository is not', () => {
  for (const path of [
    'office.json',
    'keys/first.json',
    'metadata',
    'targets/os',
    '../secret/file',
    'targets/../office.json',
    `${secret}/file`,
  ])
    expect(read(path), path).toBeUndefined();
});

test('a link is followed to what is served, and not out of it', () => {
  symlinkSync(join(secret, 'file'), join(place, 'targets/out'));
  symlinkSync('../office.json', join(place, 'metadata/office.json'));
  symlinkSync(secret, join(place, 'targets/folder'));
  symlinkSync('../nothing', join(place, 'log/nothing'));
  for (const path of ['targets/out', 'metadata/office.json', 'targets/folder/file', 'log/nothing'])
    expect(read(path), path).toBeUndefined();
  symlinkSync('1.root.json', join(place, 'metadata/root.json'));
  expect(read('metadata/root.json')).toBe('metadata/1.root.json');
  symlinkSync(place, join(directory, 'mounted'));
  expect(read('log/checkpoint', join(directory, 'mounted'))).toBe('log/checkpoint');
});

test('what is no plain file is not waited for', () => {
  execFileSync('mkfifo', [join(place, 'log/pipe')]);
  expect(read('log/pipe')).toBeUndefined();
});
