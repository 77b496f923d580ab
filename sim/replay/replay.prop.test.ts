/** A log read, cut and replayed, against the writes that it was made of. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sectorBytes } from '#sim/image/gpt';
import { memoryBytes } from './byte-source.ts';
import { fates, survivors } from './cut.ts';
import { logOf, sectorsOf } from './log.fixture.ts';
import { replayedMedium } from './replayed-medium.ts';
import { readWriteLog } from './write-log.ts';

const mediumSectors = 24;
const write = fc.record({
  sector: fc.nat(mediumSectors - 4),
  byte: fc.integer({ min: 1, max: 255 }),
  count: fc.integer({ min: 1, max: 4 }),
});
const entry = fc.oneof({ weight: 4, arbitrary: write }, { weight: 1, arbitrary: fc.constant('flush' as const) });
const history = fc.array(entry, { maxLength: 30 });
const notes = (entries: readonly (typeof entry extends fc.Arbitrary<infer T> ? T : never)[]) =>
  entries.map((one) =>
    one === 'flush' ? { sector: 0, flags: 1 } : { sector: one.sector, data: sectorsOf(one.byte, one.count) },
  );
/** Numbers of a list, again and again. */
const drawn = (numbers: readonly number[]) => {
  let at = 0;
  return (limit: number) => (numbers[at++ % numbers.length] ?? 0) % limit;
};
const base = sectorsOf(0xee, mediumSectors);

describe('a log that is replayed', () => {
  test('whole, is the medium at the end', () => {
    fc.assert(
      fc.property(history, (entries) => {
        const log = memoryBytes(logOf(notes(entries)));
        const read = readWriteLog(log, mediumSectors);
        if (!read.ok) return expect.unreachable(read.fault.detail ?? '');
        const expected = base.slice();
        for (const one of entries) if (one !== 'flush') expected.set(sectorsOf(one.byte, one.count), one.sector * sectorBytes);
        const all = read.value.flatMap((one) => (one.dataSector === undefined ? [] : [{ write: one, sectors: one.sectors }]));
        expect(replayedMedium(memoryBytes(base), log, all).read(0, base.length)).toEqual(expected);
      }),
    );
  });

  test('cut, has all that a flush made durable, and of the rest nothing that was not written', () => {
    fc.assert(
      fc.property(
        history,
        fc.nat(30),
        fc.constantFrom(...fates),
        fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
        (entries, at, fate, numbers) => {
          const log = memoryBytes(logOf(notes(entries)));
          const read = readWriteLog(log, mediumSectors);
          if (!read.ok) return expect.unreachable(read.fault.detail ?? '');
          const left = survivors(read.value, { entries: at, fate }, drawn(numbers));
          const disk = replayedMedium(memoryBytes(base), log, left);
          const noted = entries.slice(0, at);
          const durable = noted.lastIndexOf('flush') + 1;
          for (let sector = 0; sector < mediumSectors; sector += 1) {
            let sure = 0xee;
            const possible = new Set<number>();
            for (const [index, one] of noted.entries()) {
              if (one === 'flush' || sector < one.sector || sector >= one.sector + one.count) continue;
              if (index < durable) sure = one.byte;
              else possible.add(one.byte);
            }
            possible.add(sure);
            const bytes = disk.read(sector * sectorBytes, sectorBytes);
            expect(new Set(bytes).size).toBe(1);
            if (fate === 'flushed') expect(bytes[0]).toBe(sure);
            else expect(possible).toContain(bytes[0]);
          }
        },
      ),
    );
  });

  test('is the same where the same sectors come from the same writes, and is read at any offset', () => {
    const log = memoryBytes(
      logOf([
        { sector: 2, data: sectorsOf(1, 2) },
        { sector: 9, data: sectorsOf(2) },
      ]),
    );
    const read = readWriteLog(log, mediumSectors);
    const [first, second] = (read.ok ? read.value : []).map((one) => ({ write: one, sectors: one.sectors }));
    if (first === undefined || second === undefined) return expect.unreachable('two writes');
    const [one, both] = [[first], [first, second]].map((writes) => replayedMedium(memoryBytes(base), log, writes));
    expect(one?.sameAs(0, 8)).toBe(both?.sameAs(0, 8));
    expect(one?.sameAs(8, 8)).not.toBe(both?.sameAs(8, 8));
    const whole = both?.read(0, base.length) ?? new Uint8Array();
    fc.assert(
      fc.property(fc.nat(base.length - 1), fc.nat(2000), (offset, length) => {
        const end = Math.min(offset + length, base.length);
        expect(both?.read(offset, end - offset)).toEqual(whole.subarray(offset, end));
      }),
    );
  });

  test('no bytes make the reader of logs throw', () => {
    const spoilt = fc
      .tuple(history, fc.array(fc.tuple(fc.nat(3000), fc.nat(255)), { maxLength: 6 }), fc.nat(6000))
      .map(([entries, changes, length]) => {
        const bytes = logOf(notes(entries)).slice(0, length);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 2048 }), spoilt), (bytes) => {
        const read = readWriteLog(memoryBytes(bytes), mediumSectors);
        if (read.ok) for (const { sector, sectors } of read.value) expect(sector + sectors).toBeLessThanOrEqual(mediumSectors);
        else expect(['protocol', 'resource']).toContain(read.fault.category);
      }),
    );
  });
});
