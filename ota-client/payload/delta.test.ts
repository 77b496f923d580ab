import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { codeOf, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { checkPiece, decodeSegment } from './decode.ts';
import { applyDelta, type Delta, encodeDelta } from './delta.ts';
import { difference } from './difference.ts';
import { wholeBlocks } from './image.ts';
import { sampleImage } from './images.fixture.ts';
import { blockBytes, segmentBytes } from './limits.ts';
import { builtPayload } from './payload.fixture.ts';
import { parseRecipe } from './recipe.ts';
import { compress } from './zstd.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_265);
const numRuns = Number(process.env['FUZZ_ROUNDS'] ?? 200);

const dictionary = sampleImage('dictionary', 32);
const encoded = (delta: Delta, from = dictionary) => encodeDelta(delta, from, 1) ?? new Uint8Array();
const refusalOf = (bytes: Uint8Array, lengthBytes: number, from = dictionary) => {
  const made = applyDelta(bytes, from, lengthBytes);
  return made.ok ? 'accepted' : codeOf(made.fault);
};

/** Entries of 24 bytes with an address each: what moving a library does to its tables. */
const table = (entries: number, base: number): Uint8Array => {
  const bytes = new Uint8Array(entries * 24);
  const view = new DataView(bytes.buffer);
  for (let entry = 0; entry < entries; entry += 1) {
    view.setBigUint64(entry * 24, BigInt(base + entry * 8 + (entry % 7) * 64), true);
    view.setBigUint64(entry * 24 + 8, 8n, true);
    view.setBigUint64(entry * 24 + 16, BigInt(base * 3 + entry * 48), true);
  }
  return bytes;
};

describe(`a segment is made from its dictionary again (FUZZ_SEED=${seed})`, () => {
  const edit = fc.record({ at: fc.nat(), removed: fc.nat(3000), added: fc.uint8Array({ maxLength: 300 }) });
  const lengths = fc.integer({ min: 1, max: segmentBytes });

  test('whatever was changed, moved, added or taken away', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 8 }), fc.nat(dictionary.length - 1), lengths, (edits, from, length) => {
        let target: Uint8Array = dictionary.subarray(from);
        for (const { at, removed, added } of edits) {
          const place = at % (target.length + 1);
          target = concat(target.subarray(0, place), added, target.subarray(place + removed));
        }
        target = target.subarray(0, length);
        fc.pre(target.length > 0);
        const made = applyDelta(encoded(difference(target, dictionary)), dictionary, target.length);
        expect(Buffer.compare(unwrap(made), target)).toBe(0);
      }),
      { seed, numRuns },
    );
  });

  test('also where nothing of it is in the dictionary', () => {
    const noise = seededRandom('noise').bytes(segmentBytes);
    const made = applyDelta(encoded(difference(noise, dictionary)), dictionary, noise.length);
    expect(Buffer.compare(unwrap(made), noise)).toBe(0);
  });
});

test('where every address of a table has moved, a delta is a third of what a dictionary makes of it', () => {
  const before = table(8000, 0x40_0000);
  const after = table(8000, 0x40_1240);
  const delta = encoded(difference(after, before), before);
  expect(delta.length * 3).toBeLessThan(compress(after, before, 19).length);
});

describe('a delta is refused', () => {
  const none = { gaps: [], changes: new Uint8Array(), inserts: new Uint8Array() };
  const step = (copied: number, inserted = 0, seek = 0) => ({ copied, inserted, seek });
  const good = { ...none, steps: [step(100, 2, -50), step(10)], inserts: Uint8Array.of(1, 2) };

  test('not as it was made', () => {
    const made = unwrap(applyDelta(encoded(good), dictionary, 112));
    expect(made).toEqual(concat(dictionary.subarray(0, 100), Uint8Array.of(1, 2), dictionary.subarray(50, 60)));
  });

  test.each<[string, Delta, number]>([
    ['is too short for its segment', good, 113],
    ['is too long for its segment', good, 111],
    ['copies from behind the dictionary', { ...none, steps: [step(dictionary.length + 1)] }, dictionary.length + 1],
    ['copies from before it', { ...none, steps: [step(10, 0, -11), step(10)] }, 20],
    ['seeks to behind it', { ...none, steps: [step(10, 0, dictionary.length), step(10)] }, 20],
    ['has a change for no byte', { ...none, steps: [step(10)], gaps: [10], changes: Uint8Array.of(1) }, 10],
    ['has a gap without a change', { ...none, steps: [step(10)], gaps: [3], changes: new Uint8Array() }, 10],
    ['has a change without a gap', { ...none, steps: [step(10)], gaps: [], changes: Uint8Array.of(1) }, 10],
    ['inserts what it does not have', { ...none, steps: [step(0, 3)], inserts: Uint8Array.of(1, 2) }, 3],
    ['has more than it inserts', { ...none, steps: [step(0, 1)], inserts: Uint8Array.of(1, 2) }, 1],
    ['makes nothing', { ...none, steps: [] }, 10],
  ])('that %s', (_, delta, lengthBytes) => {
    expect(refusalOf(encoded(delta), lengthBytes)).toBe('integrity/payload-malformed');
  });

  test('that is cut short, goes on, or promises a stream above the limit', () => {
    const bytes = encoded(good);
    for (let length = 0; length < bytes.length; length += 1)
      expect(refusalOf(bytes.subarray(0, length), 112)).toBe('integrity/payload-malformed');
    expect(refusalOf(concat(bytes, Uint8Array.of(0)), 112)).toBe('integrity/payload-malformed');
    const bomb = compress(new Uint8Array(segmentBytes + 1), undefined, 1);
    const size = (value: number) => Uint8Array.of(value >>> 16, value >>> 8, value);
    const head = concat(size(segmentBytes + 1), size(bomb.length), new Uint8Array(18));
    expect(refusalOf(concat(head, bomb), 112)).toBe('integrity/payload-malformed');
    expect(encodeDelta({ ...good, inserts: new Uint8Array(segmentBytes + 1) }, dictionary, 1)).toBeUndefined();
  });

  test(`or makes other bytes, whichever of its bits is changed, and never throws (FUZZ_SEED=${seed})`, () => {
    const target = concat(dictionary.subarray(3000, 9000), Uint8Array.of(7), dictionary.subarray(100, 4000));
    target[50] = 0;
    const bytes = encoded(difference(target, dictionary));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const changed = bytes.slice();
        changed[at] = (changed[at] as number) ^ (1 << bit);
        const made = applyDelta(changed, dictionary, target.length);
        if (made.ok) expect(made.value.length).toBe(target.length);
        else expect(codeOf(made.fault)).toBe('integrity/payload-malformed');
      }),
      { seed, numRuns: numRuns * 10 },
    );
  });
});

test('a dictionary that begins as a formatted one is shifted for a delta too, and refused as it is', async () => {
  const magic = Uint8Array.of(0x37, 0xa4, 0x30, 0xec);
  // What follows the table stayed; that is how its place is found.
  const tail = sampleImage('tail', 8);
  const base = concat(wholeBlocks(concat(magic, table(8000, 0x40_0000))), tail);
  const target = concat(wholeBlocks(concat(new Uint8Array(4), table(8000, 0x40_1240))), tail);
  const { pair } = await builtPayload(target, base, { level: 19 });
  const [how] = unwrap(parseRecipe(pair.recipe, target.length)).segments;
  expect(how).toMatchObject({ kind: 'delta', skip: 1, ranges: [{ block: 0, blocks: base.length / blockBytes }] });
  if (how?.kind !== 'delta') return;
  const ingredients = (skip: number) =>
    decodeSegment({ ...how, skip }, target.length, {
      source: { sizeBytes: base.length, read: async (at, length) => ({ ok: true, value: base.slice(at, at + length) }) },
      piece: async (piece) => checkPiece(pair.pieces, piece),
    });
  expect(Buffer.compare(unwrap(await ingredients(1)), target)).toBe(0);
  const inserts = { steps: [{ copied: 0, inserted: 1, seek: 0 }], gaps: [], changes: new Uint8Array() };
  const delta = encodeDelta({ ...inserts, inserts: Uint8Array.of(1) }, base.subarray(1), 1) ?? new Uint8Array();
  expect([refusalOf(delta, 1, base), refusalOf(delta, 1, base.subarray(1))]).toEqual(['integrity/payload-malformed', 'accepted']);
});
