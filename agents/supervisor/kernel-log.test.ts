import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { kernelLog } from './kernel-log.ts';

test('each line is a record with its end, however it came, and a long one is cut', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-kmsg-'));
  try {
    const path = join(folder, 'kmsg');
    writeFileSync(path, '');
    const log = kernelLog(path);
    for (const part of ['one\ntw', 'o\n', `${'x'.repeat(1_000)}\n`, 'not yet a line']) log.write(part);
    log.end();
    await finished(log);
    expect(readFileSync(path, 'utf8').split('\n')).toEqual(['one', 'two', 'x'.repeat(900), '']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
