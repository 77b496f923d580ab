/** What a change of an index or a recipe can and cannot do: no throw, no allocation beyond the limits, no other image. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, toHex, u32be, u64be, utf8 } from '#hal/core/bytes';
import { codeOf, ok, unwrap } from '#hal/core/result';
import { memoryBlockDevice } from '#hal/memory/block-device';
import { checkPiece, decodeSegment } from './decode.ts';
import { wholeBlocks } from './image.ts';
import { nextImage, sampleImage } from './images.fixture.ts';
import { blockBytes, maxImageBytes, maxSegments, segmentBytes, segmentLength } from './limits.ts';
import { builtPayload } from './payload.fixture.ts';
import { encodeRecipeHead, encodeSegmentRecipe, maxRecipeBytes, parseRecipe, type Recipe } from './recipe.ts';
import { checkPin, encodeIndex, isSegment, maxIndexBytes, parseIndex, pinOf, type SegmentIndex } from './segment-index.ts';

const base = sampleImage('mutation', 96);
const target = wholeBlocks(nextImage('mutation', base));
const payload = await builtPayload(target, base);
const { pair } = payload;
const index = unwrap(parseIndex(payload.index));
const source = memoryBlockDevice(base.length);
source.load(base);

const encoded = (recipe: Recipe): Uint8Array => concat(encodeRecipeHead(recipe), ...recipe.segments.map(encodeSegmentRecipe));

const changes = [1, 2, 4, 8, 16, 32, 64, 128, 255];
const eachChange = (bytes: Uint8Array, judge: (changed: Uint8Array, offset: number) => void): void => {
  for (let offset = 0; offset < bytes.length; offset += 1)
    for (const mask of changes) {
      const changed = bytes.slice();
      changed[offset] = (changed[offset] as number) ^ mask;
      judge(changed, offset);
    }
};

const codes = new Set(['integrity/payload-malformed']);

describe('any change of one byte of an index', () => {
  test('is refused by the pin of the release', () => {
    const pin = pinOf(payload.index);
    expect(checkPin(payload.index, pin).ok).toBe(true);
    eachChange(payload.index, (changed) => {
      const checked = checkPin(changed, pin);
      expect(checked.ok ? 'accepted' : codeOf(checked.fault)).toBe('integrity/target-mismatch');
    });
  });

  test('without the pin, is refused or names an image that this one is not', () => {
    const isThisImage = (read: SegmentIndex) =>
      read.imageBytes === target.length &&
      Array.from({ length: read.digests.length / 32 }, (_, segment) =>
        isSegment(read, segment, target.subarray(segment * segmentBytes, (segment + 1) * segmentBytes)),
      ).every(Boolean);
    expect(isThisImage(index)).toBe(true);
    eachChange(payload.index, (changed) => {
      const read = parseIndex(changed);
      if (read.ok) expect(isThisImage(read.value)).toBe(false);
      else expect(codes).toContain(codeOf(read.fault));
    });
  });
});

describe('any change of one byte of a recipe', () => {
  /** Makes every segment whose recipe differs from the original's; the index decides what is accepted. */
  const original = unwrap(parseRecipe(pair.recipe, index.imageBytes));
  const make = async (changed: Uint8Array): Promise<'refused' | 'equal' | 'wrong'> => {
    const recipe = parseRecipe(changed, index.imageBytes);
    if (!recipe.ok) return 'refused';
    for (const [segment, how] of recipe.value.segments.entries()) {
      if (JSON.stringify(how) === JSON.stringify(original.segments[segment])) continue;
      const made = await decodeSegment(how, segmentLength(index.imageBytes, segment), {
        source,
        piece: async (piece) => checkPiece(pair.pieces.subarray(piece.offsetBytes, piece.offsetBytes + piece.lengthBytes), piece),
      });
      if (!made.ok || !isSegment(index, segment, made.value)) return 'refused';
      if (toHex(made.value) !== toHex(target.subarray(segment * segmentBytes, segment * segmentBytes + made.value.length)))
        return 'wrong';
    }
    return 'equal';
  };

  test('is refused or makes the same image', async () => {
    const outcomes = new Set<string>();
    for (let offset = 0; offset < pair.recipe.length; offset += 1)
      for (const mask of [1, 128, 255]) {
        const changed = pair.recipe.slice();
        changed[offset] = (changed[offset] as number) ^ mask;
        outcomes.add(await make(changed));
      }
    expect(outcomes).toEqual(new Set(['refused', 'equal']));
  });
});

describe('whatever the bytes', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 20_262);
  const numRuns = Number(process.env['FUZZ_ROUNDS'] ?? 3_000);
  const options = { seed, numRuns };
  const head = fc.constantFrom(utf8('ENIGMIX1'), utf8('ENIGMRC1'), new Uint8Array());
  const bytes = fc.tuple(head, fc.uint8Array({ maxLength: 600 })).map(([start, rest]) => concat(start, rest));

  test(`the parsers do not throw and do not allocate beyond the input (FUZZ_SEED=${seed})`, () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: maxSegments }), (any, segments) => {
        const readIndex = parseIndex(any);
        if (readIndex.ok) expect(readIndex.value.digests.length).toBeLessThanOrEqual(any.length);
        else expect(codes).toContain(codeOf(readIndex.fault));
        const recipe = parseRecipe(any, segments * segmentBytes);
        if (recipe.ok) expect(recipe.value.segments.length).toBeLessThanOrEqual(any.length);
        else expect(codes).toContain(codeOf(recipe.fault));
      }),
      options,
    );
  });

  test(`a recipe with changes in several places neither (FUZZ_SEED=${seed})`, () => {
    const change = fc.tuple(fc.nat(pair.recipe.length - 1), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(pair.recipe.length), (places, cut) => {
        const changed = pair.recipe.slice();
        for (const [offset, value] of places) changed[offset] = value;
        for (const any of [changed, changed.subarray(0, cut)]) {
          const recipe = parseRecipe(any, index.imageBytes);
          if (!recipe.ok) expect(codes).toContain(codeOf(recipe.fault));
        }
      }),
      options,
    );
  });

  test('an index that promises more segments than it has bytes costs nothing (row 36)', () => {
    const huge = concat(utf8('ENIGMIX1'), u64be(maxImageBytes));
    const before = process.memoryUsage().arrayBuffers;
    for (let round = 0; round < 1000; round += 1) expect(parseIndex(huge).ok).toBe(false);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  });

  test.each([
    ['an empty image', concat(utf8('ENIGMIX1'), u64be(0))],
    ['half a block', concat(utf8('ENIGMIX1'), u64be(blockBytes / 2), new Uint8Array(32))],
    ['an image above the limit', concat(utf8('ENIGMIX1'), u64be(maxImageBytes + blockBytes), new Uint8Array(32))],
    ['one hash too many', concat(payload.index, new Uint8Array(32))],
    ['one byte too few', payload.index.subarray(0, -1)],
    ['more bytes than any index has', new Uint8Array(maxIndexBytes + 1)],
  ])('refuses an index of %s (row 36)', (_, changed) => {
    const read = parseIndex(changed);
    expect(read.ok ? 'accepted' : codeOf(read.fault)).toBe('integrity/payload-malformed');
  });

  const recipeHead = (blocks: number) =>
    concat(utf8('ENIGMRC1'), new Uint8Array(32), u32be(blocks), new Uint8Array(32).fill(blocks === 0 ? 0 : 1));
  const range = (block: number, blocks: number) => concat(u32be(block), Uint8Array.of(blocks >> 8, blocks & 255));
  const piece = (length: number) => concat(u32be(length), new Uint8Array(32));
  const one = Uint8Array.of(1);
  test.each([
    ['a range outside the base', 100, concat(one, one, range(40, 64))],
    ['a range that begins far outside', 100, concat(one, one, range(0xffffffff, 64))],
    ['an empty range', 100, concat(one, one, range(0, 0))],
    ['no ranges', 100, concat(one, Uint8Array.of(0))],
    ['more than the segment', 100, concat(one, one, range(0, 65))],
    ['less than the segment', 100, concat(one, one, range(0, 63))],
    ['a copy without a base', 0, concat(one, one, range(0, 64))],
    ['a dictionary above the limit', 1000, concat(Uint8Array.of(3, 0, 1), range(0, 129), piece(10))],
    ['a dictionary of one range again and again', 1000, concat(Uint8Array.of(3, 0, 2), range(0, 100), range(0, 100), piece(10))],
    ['a delta above the limit', 1000, concat(Uint8Array.of(4, 0, 1), range(0, 129), piece(10))],
    ['a delta without a base', 0, concat(Uint8Array.of(4, 0, 1), range(0, 1), piece(10))],
    ['a huge piece', 0, concat(Uint8Array.of(2), piece(0xffffffff))],
    ['an empty piece', 0, concat(Uint8Array.of(2), piece(0))],
    ['an unknown kind', 0, Uint8Array.of(5)],
    ['a segment too many', 0, Uint8Array.of(0, 0)],
    ['half a base', 0, new Uint8Array()],
  ])('refuses a recipe with %s (row 36)', (_, blocks, body) => {
    const read = parseRecipe(concat(recipeHead(blocks), body), segmentBytes);
    expect(read.ok ? 'accepted' : codeOf(read.fault)).toBe('integrity/payload-malformed');
  });

  test('accepts the same at the limit', () => {
    for (const body of [
      concat(one, one, range(36, 64)),
      concat(Uint8Array.of(3, 255, 1), range(0, 100), piece(10)),
      concat(Uint8Array.of(4, 255, 1), range(0, 100), piece(10)),
      Uint8Array.of(0),
    ])
      expect(parseRecipe(concat(recipeHead(100), body), segmentBytes).ok).toBe(true);
    expect(parseRecipe(new Uint8Array(maxRecipeBytes + 1), segmentBytes).ok).toBe(false);
  });

  test('index and recipe have one encoding', () => {
    expect(encodeIndex(index)).toEqual(payload.index);
    const recipe = parseRecipe(pair.recipe, index.imageBytes);
    expect(recipe.ok ? ok(encoded(recipe.value)) : recipe).toEqual(ok(pair.recipe));
  });
});
