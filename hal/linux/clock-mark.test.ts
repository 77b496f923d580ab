import { mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { leaveClockMark, readClockMark } from './clock-mark.ts';

const signedMs = Date.UTC(2026, 10, 21, 12, 0, 0);

describe('a mark of time that outlives a clock without power (SR-16)', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'enigm-mark-'));
    path = join(folder, 'clock');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('says the newest time that was left, and nothing before one was', () => {
    expect(unwrap(readClockMark(path))).toBeUndefined();
    for (const timeMs of [signedMs, signedMs + 60_000]) {
      unwrap(leaveClockMark(path, timeMs));
      expect(unwrap(readClockMark(path))).toBe(timeMs);
    }
    expect(readFileSync(path).length).toBe(0);
  });

  test('is of the name itself: a link to somebody else’s file says nothing of that file', () => {
    const other = join(folder, 'other');
    writeFileSync(other, '');
    utimesSync(other, 1, 1);
    symlinkSync(other, path);
    expect(unwrap(readClockMark(path))).not.toBe(1_000);
  });

  test('that cannot be left is a refusal', () => {
    const left = leaveClockMark(join(folder, 'nowhere', 'clock'), signedMs);
    expect(!left.ok && codeOf(left.fault)).toBe('unavailable/storage-failed');
  });
});
