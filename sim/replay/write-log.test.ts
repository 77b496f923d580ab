import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { memoryBytes } from './byte-source.ts';
import { logOf, noted, sectorsOf, superblock } from './log.fixture.ts';
import { type LoggedWrite, maxSectorsOfWrite, readWriteLog } from './write-log.ts';

const read = (bytes: Uint8Array, mediumSectors = 64) => readWriteLog(memoryBytes(bytes), mediumSectors);
const code = (read: Result<readonly LoggedWrite[]>) => (read.ok ? 'read' : `${codeOf(read.fault)} ${read.fault.detail ?? ''}`);

describe('a log of writes', () => {
  test('is read in its order: writes, flushes, and what has no data', () => {
    const log = logOf([
      { sector: 8, data: sectorsOf(1, 2) },
      { sector: 0, flags: 1 },
      { sector: 3, data: sectorsOf(2), flags: 2 },
      { sector: 16, sectors: 8, flags: 4 },
    ]);
    expect(unwrap(read(log))).toEqual([
      { sector: 8, sectors: 2, isFlush: false, dataSector: 2, endBytes: 2048 },
      { sector: 0, sectors: 0, isFlush: true, dataSector: undefined, endBytes: 2560 },
      { sector: 3, sectors: 1, isFlush: false, dataSector: 6, endBytes: 3584 },
      { sector: 16, sectors: 8, isFlush: false, dataSector: undefined, endBytes: 4096 },
    ]);
  });

  test('may be empty, or have more entries than its superblock knows of', () => {
    expect(unwrap(read(new Uint8Array()))).toEqual([]);
    expect(unwrap(read(superblock(0)))).toEqual([]);
    expect(unwrap(read(concat(superblock(0), noted({ sector: 1, data: sectorsOf(1) }))))).toHaveLength(1);
  });

  test('ends at the end of its medium', () => {
    expect(code(read(logOf([{ sector: 63, data: sectorsOf(1) }])))).toBe('read');
    expect(code(read(logOf([{ sector: 63, data: sectorsOf(1, 2) }])))).toMatch(/behind the medium$/);
  });

  const whole = logOf([{ sector: 1, data: sectorsOf(1, 3) }]);
  const largest = { sector: 0, sectors: maxSectorsOfWrite, flags: 4 };
  test.each([
    ['without a superblock', new Uint8Array(511), 'no superblock'],
    ['of something else', sectorsOf(7, 4), 'another format'],
    ['of other sectors', superblock(0, 4096), 'another sector size'],
    ['torn in its data', whole.subarray(0, whole.length - 1), 'entry 0 is torn'],
    ['torn in an entry', whole.subarray(0, 1000), 'entry 0 is torn'],
    ['with fewer entries than it says', superblock(1), '0 of 1 entries'],
    ['with a hole', concat(superblock(0), sectorsOf(0)), 'entry 0 is empty'],
    ['with flags that nobody knows', logOf([{ sector: 0, flags: 16 }]), 'entry 0 is none'],
    ['with a write that nobody makes', logOf([{ ...largest, sectors: maxSectorsOfWrite + 1 }]), 'entry 0 is none'],
  ])('%s is refused', (_, bytes, why) => {
    expect(code(read(bytes, 2 ** 40))).toBe(`protocol/malformed log of writes: ${why}`);
  });

  test('has discards as large as the limit', () => {
    expect(code(read(logOf([largest]), maxSectorsOfWrite))).toBe('read');
  });
});
