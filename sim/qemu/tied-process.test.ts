import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { linuxClock } from '#hal/linux/clock';
import { listens } from './tied-process.ts';

const clock = linuxClock();
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'enigm-tied-'));
  path = join(folder, 'socket');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a socket counts from when somebody listens on it', async () => {
  const waiting = listens(path, clock, 10_000);
  const server = createServer().listen(path);
  expect(await waiting).toBe(true);
  server.close();
});

test('a file by that name does not', async () => {
  writeFileSync(path, '');
  expect(await listens(path, clock, 40)).toBe(false);
});
