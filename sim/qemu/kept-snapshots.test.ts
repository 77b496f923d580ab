import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isSnapshotName, keptSnapshots, removeSnapshot } from './kept-snapshots.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'enigm-kept-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const keep = (name: string, seconds: number) => {
  mkdirSync(join(folder, name, 'tpm'), { recursive: true });
  writeFileSync(join(folder, name, 'tpm', 'state'), Buffer.alloc(8192, 1));
  writeFileSync(join(folder, name, 'key'), 'k');
  utimesSync(join(folder, name, 'key'), seconds, seconds);
};

describe('snapshots by name', () => {
  test('are listed by name, with when and how large', () => {
    keep('second', 2_000);
    keep('first', 3_000);
    const kept = keptSnapshots(folder);
    expect(kept.map(({ name, savedAtMs }) => [name, savedAtMs])).toEqual([
      ['first', 3_000_000],
      ['second', 2_000_000],
    ]);
    for (const { bytes } of kept) expect(bytes).toBeGreaterThanOrEqual(8192);
  });

  test('are not what a save that was cut left, nor what somebody put beside them', () => {
    mkdirSync(join(folder, 'begun-only'));
    keep('cut.begun', 1);
    keep('Not-a-slug', 1);
    expect(keptSnapshots(folder)).toEqual([]);
    expect(keptSnapshots(join(folder, 'nowhere'))).toEqual([]);
  });

  test('go away by name, with what was begun of them, and nothing else does', () => {
    keep('one', 1);
    keep('one.begun', 1);
    keep('other', 1);
    expect(removeSnapshot(folder, 'one')).toBe(true);
    expect(removeSnapshot(folder, 'one')).toBe(false);
    expect(readdirSync(folder)).toEqual(['other']);
  });

  test.each(['a', 'before-the-update', '2', 'x'.repeat(32)])('may be called %s', (name) => {
    expect(isSnapshotName(name)).toBe(true);
  });
  test.each(['', '.', '..', '../a', 'a/b', 'A', 'a b', '-a', 'a-', 'a--b', 'a.begun', 'x'.repeat(33), 'a\n'])(
    'may not be called %j',
    (name) => {
      expect(isSnapshotName(name)).toBe(false);
    },
  );
});
