import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attempt, deny } from '#hal/core/result';
import { isWholePages, pageBytes, pageMemory } from './page-memory.ts';

test('the kernel reads into page memory what it does not read into other memory', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-pages-'));
  try {
    const path = join(folder, 'file');
    writeFileSync(path, new Uint8Array(2 * pageBytes).fill(7));
    const refused = () => deny('unavailable', 'not-supported');
    const opened = attempt(() => openSync(path, constants.O_RDONLY | constants.O_DIRECT), refused);
    if (!opened.ok) return context.skip('this file system has no O_DIRECT');
    const memory = pageMemory(2 * pageBytes);
    expect(readSync(opened.value, memory)).toBe(2 * pageBytes);
    expect(memory.every((byte) => byte === 7)).toBe(true);
    expect(readSync(opened.value, memory.subarray(pageBytes))).toBe(0);
    closeSync(opened.value);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('whole pages are told from parts of them, and from other memory', () => {
  const memory = pageMemory(3 * pageBytes);
  expect(memory.every((byte) => byte === 0)).toBe(true);
  expect([memory, memory.subarray(pageBytes), memory.subarray(0, 0)].every(isWholePages)).toBe(true);
  const others = [memory.subarray(1), memory.subarray(0, 100), new Uint8Array(pageBytes), Buffer.alloc(pageBytes)];
  expect(others.some(isWholePages)).toBe(false);
});
