import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silenceOfMind } from './silence.ts';

describe('the silence of the mind (SR-13)', () => {
  let folder: string;
  let path: string;
  let nowMs: number;
  const clock = { bootMs: () => nowMs };
  const life = () => silenceOfMind(path, clock);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'enigm-silence-'));
    path = join(folder, 'heard');
    nowMs = 12_000;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('lasts from the first life of the supervisor, whatever became of that', () => {
    expect(life().forMs()).toBe(0);
    for (let lives = 0; lives < 100; lives += 1) {
      nowMs += 1_000;
      expect(life().forMs()).toBe(nowMs - 12_000);
    }
  });

  test('ends when it is heard, for the lives to come too', () => {
    const first = life();
    nowMs = 40_000;
    first.heard();
    expect(first.forMs()).toBe(0);
    nowMs = 70_000;
    expect([first.forMs(), life().forMs()]).toEqual([30_000, 30_000]);
  });

  test('is counted by each life alone where nothing can be kept', () => {
    mkdirSync(path);
    const first = life();
    nowMs = 20_000;
    expect([first.forMs(), life().forMs()]).toEqual([8_000, 0]);
  });

  test.each(['', 'soon', '1.5', '1e99', '-1'])('begins anew after a note that says %j', (text) => {
    writeFileSync(path, text);
    nowMs = 30_000;
    expect(life().forMs()).toBe(0);
  });
});
