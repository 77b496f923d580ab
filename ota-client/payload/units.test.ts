import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, u16be, u32be, utf8 } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { hintTable } from './hints.ts';
import { sampleImage } from './images.fixture.ts';
import { blockBytes, maxLocatedBytes, segmentBytes, unitBytes, unitContextBytes } from './limits.ts';
import { builtUnits } from './payload.fixture.ts';
import { sha256 } from './segment-index.ts';
import {
  encodeLocated,
  encodeLocatorHead,
  hintBytes,
  maxLocatorBytes,
  parseLocator,
  parseSheet,
  unitContext,
  unitCount,
} from './units.ts';
import { compress, decompress } from './zstd.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_266);
const numRuns = Number(process.env['FUZZ_ROUNDS'] ?? 1000);

const image = concat(sampleImage('units', 64), new Uint8Array(segmentBytes), sampleImage('tail', 3));
const files = await builtUnits(image);
const locator = unwrap(parseLocator(files.locator, image.length));
const located = locator.segment(0);
if (located === undefined) throw new Error('a segment of zeros');
const refusalOf = (read: Result<unknown>) => (read.ok ? 'accepted' : codeOf(read.fault));
const malformed = 'integrity/payload-malformed';

describe('any-source files', () => {
  test('hold each segment, made again unit by unit from what lies before', () => {
    for (const segment of [0, 2]) {
      const part = locator.segment(segment);
      if (part === undefined) throw new Error('a segment of zeros');
      const wanted = image.subarray(segment * segmentBytes, (segment + 1) * segmentBytes);
      const sheet = files.units.subarray(part.sheet.offsetBytes, part.sheet.offsetBytes + part.sheet.lengthBytes);
      expect(sha256(sheet)).toEqual(part.sheet.sha256);
      const made = new Uint8Array(wanted.length);
      for (const [at, { offsetBytes, lengthBytes, sha256: digest }] of unwrap(parseSheet(sheet, part, wanted.length)).entries()) {
        const compressed = files.units.subarray(offsetBytes, offsetBytes + lengthBytes);
        expect(sha256(compressed)).toEqual(digest);
        const start = at * unitBytes;
        made.set(unwrap(decompress(compressed, unitContext(made, start), Math.min(unitBytes, made.length - start))), start);
      }
      expect(Buffer.compare(made, wanted)).toBe(0);
    }
    expect(locator.segment(1)).toBeUndefined();
  });

  test('are the same each time, and none for an image above the limit', async () => {
    expect(await builtUnits(image)).toEqual(files);
    expect(refusalOf(parseLocator(files.locator, maxLocatedBytes + blockBytes))).toBe(malformed);
    expect(refusalOf(parseLocator(new Uint8Array(maxLocatorBytes + 1), image.length))).toBe(malformed);
  });

  test('never give zlib a context that it would take for a formatted dictionary', () => {
    const segment = sampleImage('context', 64);
    segment.set([0x37, 0xa4, 0x30, 0xec], 0);
    segment.set([0x37, 0xa4, 0x30, 0xec], unitBytes);
    for (const start of [unitBytes, unitContextBytes, unitContextBytes + unitBytes]) {
      const context = unitContext(segment, start);
      expect(context?.[0]).not.toBe(0x37);
      const unit = segment.subarray(start, start + unitBytes);
      expect(Buffer.compare(unwrap(decompress(compress(unit, context, 1), context, unitBytes)), unit)).toBe(0);
    }
  });
});

describe('a hint table', () => {
  test('finds what was noted and wanted, the first of several, and nothing else', () => {
    const table = hintTable(locator, image.length);
    const digest = (block: number) => sha256(image.subarray(block * blockBytes, (block + 1) * blockBytes));
    const hint = (block: number) => digest(block).subarray(0, hintBytes);
    table.note(digest(5), 40);
    table.note(digest(5), 41);
    table.note(seededRandom('unwanted').bytes(32), 42);
    expect([table.find(hint(5)), table.find(hint(6)), table.find(seededRandom('unwanted').bytes(5))]).toEqual([
      40,
      undefined,
      undefined,
    ]);
    // Block 0 of the source is a place too.
    table.note(digest(6), 0);
    expect(table.find(hint(6))).toBe(0);
  });
});

describe('refuses', () => {
  const head = concat(utf8('ENIGMUN1'), new Uint8Array(32));
  const entry = (length: number, blocks: number) => concat(u32be(length), new Uint8Array(32 + blocks * hintBytes));
  test.each<[string, Uint8Array, number]>([
    ['another magic', concat(utf8('ENIGMUN2'), files.locator.subarray(8)), image.length],
    ['a byte too many', concat(files.locator, Uint8Array.of(0)), image.length],
    ['a byte too few', files.locator.subarray(0, -1), image.length],
    ['an image of another size', files.locator, image.length + segmentBytes],
    ['a part that is a sheet alone', concat(head, entry(34, 1)), blockBytes],
    ['a part larger than any', concat(head, entry(unitBytes + 64 + 35, 1)), blockBytes],
    ['hints that are missing', concat(head, entry(100, 0)), blockBytes],
    ['more segments than it has bytes', concat(head, new Uint8Array(8)), maxLocatedBytes],
  ])('a locator with %s', (_, bytes, imageBytes) => {
    expect(refusalOf(parseLocator(bytes, imageBytes))).toBe(malformed);
  });

  test('not a locator at the limits', () => {
    for (const length of [35, unitBytes + 64 + 34])
      expect(refusalOf(parseLocator(concat(head, entry(length, 1)), blockBytes))).toBe('accepted');
  });

  const sheetOf = (...lengths: readonly number[]) => concat(...lengths.flatMap((length) => [u16be(length), new Uint8Array(32)]));
  const one = { sheet: { offsetBytes: 0, lengthBytes: 34, sha256: new Uint8Array(32) }, hints: new Uint8Array(hintBytes) };
  test.each<[string, Uint8Array, number]>([
    ['an empty unit', sheetOf(0), 34],
    ['a unit above the limit', sheetOf(unitBytes + 65), 34 + unitBytes + 65],
    ['a unit of another length', sheetOf(99), 34 + 100],
    ['a unit too many', sheetOf(50, 50), 34 + 100],
    ['no unit', sheetOf(), 34],
  ])('a sheet with %s', (_, bytes, lengthBytes) => {
    expect(refusalOf(parseSheet(bytes, { ...one, lengthBytes }, blockBytes))).toBe(malformed);
  });

  test('not a sheet that names all of its segment', () => {
    expect(refusalOf(parseSheet(sheetOf(100), { ...one, lengthBytes: 134 }, blockBytes))).toBe('accepted');
    expect(unitCount(segmentBytes)).toBe(segmentBytes / unitBytes);
  });
});

test(`no bytes make the parsers throw (FUZZ_SEED=${seed})`, () => {
  const bytes = fc
    .tuple(fc.constantFrom(utf8('ENIGMUN1'), files.locator.subarray(0, 44), new Uint8Array()), fc.uint8Array({ maxLength: 900 }))
    .map(([start, rest]) => concat(start, rest));
  const change = fc.tuple(fc.nat(files.locator.length - 1), fc.nat(255));
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 300 }), fc.array(change, { maxLength: 4 }), (any, blocks, changes) => {
      const changed = files.locator.slice();
      for (const [at, value] of changes) changed[at] = value;
      for (const [read, size] of [
        [any, blocks * blockBytes],
        [changed, image.length],
      ] as const) {
        const parsed = parseLocator(read, size);
        if (!parsed.ok) expect(codeOf(parsed.fault)).toBe(malformed);
        else hintTable(parsed.value, size).find(new Uint8Array(hintBytes).fill(1));
      }
      const sheet = parseSheet(any, located, blocks * blockBytes);
      if (!sheet.ok) expect(codeOf(sheet.fault)).toBe(malformed);
    }),
    { seed, numRuns },
  );
});

test('the encoding of a locator has one reading', () => {
  const segments = [0, 1, 2].map((segment) => {
    const part = locator.segment(segment);
    return part === undefined ? undefined : { ...part, sheet: part.sheet.sha256 };
  });
  expect(concat(encodeLocatorHead(locator.target), ...segments.map(encodeLocated))).toEqual(files.locator);
});
