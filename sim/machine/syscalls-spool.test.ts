import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { signalsContract } from '#hal/contract/signals';
import { codeOf, unwrap } from '#hal/core/result';
import { offerWindows, spooledSignals } from './syscalls-spool.ts';

const directory = mkdtempSync(join(tmpdir(), 'enigm-spool-'));
afterAll(() => rmSync(directory, { recursive: true }));
let folders = 0;
const open = () => {
  folders += 1;
  const folder = join(directory, String(folders));
  let count = 0;
  return {
    folder,
    signals: spooledSignals(folder),
    offer: (windows: Parameters<typeof offerWindows>[2]) => {
      count += 1;
      offerWindows(folder, count, windows);
    },
  };
};

signalsContract('spool of the simulator', open);

describe('the spool', () => {
  test('says that a recording is broken, once, and goes on with the next', async () => {
    const { folder, signals, offer } = open();
    offer([{ app: 'a', calls: [1, 2, 3] }]);
    writeFileSync(join(folder, '000000.windows'), Buffer.from([255]));
    const first = await signals.take();
    expect(first.ok || codeOf(first.fault)).toBe('protocol/malformed');
    expect(unwrap(await signals.take())).toEqual([{ app: 'a', calls: [1, 2, 3] }]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('reads no recording of unknown size', async () => {
    const { folder, signals, offer } = open();
    offer([]);
    writeFileSync(join(folder, '000002.windows'), Buffer.alloc(64 * 1024 + 1));
    const taken = await signals.take();
    expect(taken.ok || codeOf(taken.fault)).toBe('protocol/too-large');
  });
});
