/** That a publisher holds no image: what it reads at once, how it looks at a base whose anchors do not fit, what a fault leaves. */
import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { codeOf, deny, ok, type Result, unwrap } from '#hal/core/result';
import { memoryFiles } from '../repository/files.ts';
import { mostAnchorPlaces } from './anchors.ts';
import { blockTable } from './block-table.ts';
import { buildPayload } from './build.ts';
import { bytesImage, eachBlock, type Image } from './image.ts';
import { indexOf } from './image-index.ts';
import { nextImage, sampleImage } from './images.fixture.ts';
import { blockBytes, maxDictionaryBytes, segmentBytes, segmentCount } from './limits.ts';
import type { CreateFile } from './new-file.ts';
import { placesIn } from './places.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const old = sampleImage('bounded', 200);
const next = nextImage('bounded', old);
const index = unwrap(await indexOf(bytesImage(next)));
const input = { folder: 'r', target: bytesImage(next), index, bases: [bytesImage(old)], level: 1, isForAnySource: true };

const watched = (bytes: Uint8Array) => {
  const lengths: number[] = [];
  const image = bytesImage(bytes);
  const read: Image['read'] = (offsetBytes, lengthBytes) => {
    lengths.push(lengthBytes);
    return image.read(offsetBytes, lengthBytes);
  };
  return { lengths, image: { ...image, read } };
};

test('no more than a dictionary is read at once', async () => {
  const [target, base] = [watched(next), watched(old)];
  unwrap(await buildPayload({ ...input, target: target.image, bases: [base.image] }, memoryFiles().create));
  expect(Math.max(...target.lengths)).toBe(segmentBytes);
  expect(Math.max(...base.lengths)).toBeLessThanOrEqual(maxDictionaryBytes);
});

test('a base that was given twice counts once, and progress ends with the last segment', async () => {
  const made: string[] = [];
  const progress = (done: number, segments: number) => void made.push(`${done} of ${segments}`);
  const files = await buildPayload({ ...input, bases: [...input.bases, bytesImage(old)], progress }, memoryFiles().create);
  expect(unwrap(files)).toEqual(unwrap(await buildPayload(input, memoryFiles().create)));
  expect(made).toEqual(['1 of 4', '2 of 4', '3 of 4', '4 of 4']);
});

describe('more changed content than the table of anchors holds', () => {
  /** Xorshift: 40 MiB that share no content, of which each segment moves by some bytes. */
  const base = new Uint8Array(160 * segmentBytes);
  const words = new Uint32Array(base.buffer);
  let state = 0x656e6967;
  for (let at = 0; at < words.length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  const target = concat(base.subarray(1000), base.subarray(0, 1000));

  test('takes more looks at the base, and finds the same', async () => {
    const found = [];
    for (const mostPlaces of [mostAnchorPlaces, 1]) {
      const from = watched(base);
      const table = blockTable(base.length / blockBytes);
      eachBlock(base, table.add);
      const places = unwrap(await placesIn(bytesImage(target), from.image, table, mostPlaces));
      const dictionaries: (readonly number[])[] = [];
      for (let at = 0; at < 160; at += 1)
        dictionaries.push(unwrap(await places.dictionary(at, target.subarray(at * segmentBytes, (at + 1) * segmentBytes))));
      found.push({ looks: from.lengths.length / 160, dictionaries });
    }
    const [once, often] = found;
    expect(once?.looks).toBe(1);
    // Two stretches for the guesses, and the same two again for the dictionaries.
    expect(often?.looks).toBe(4);
    expect(often?.dictionaries).toEqual(once?.dictionaries);
    expect(once?.dictionaries[3]?.slice(1, 4)).toEqual([3 * 64, 3 * 64 + 1, 3 * 64 + 2]);
  });
});

test('blocks whose digests begin alike are compared before one is copied', async () => {
  // A base that answers other bytes than it did when its table was made is what such a pair would look like.
  let reads = 0;
  const image = bytesImage(old);
  const changing: Image = {
    ...image,
    async read(offsetBytes, lengthBytes, into) {
      const read = await image.read(offsetBytes, lengthBytes, into);
      reads += 1;
      return read.ok && reads > segmentCount(old.length) ? ok(read.value.map((byte) => byte ^ 1)) : read;
    },
  };
  const contents = new Map<string, Uint8Array>();
  const files = unwrap(
    await buildPayload(
      { ...input, target: image, index: unwrap(await indexOf(image)), bases: [changing], isForAnySource: false },
      memoryFiles(contents).create,
    ),
  );
  const [pair] = files.pairs;
  const recipe = contents.get(pair?.recipe.path ?? '') ?? new Uint8Array();
  const copies = 1;
  expect(recipe[76]).not.toBe(copies);
});

test('an image that is not that of its index any more is refused, and nothing of it is published', async () => {
  const kept = new Map<string, Uint8Array>();
  const changed = next.with(3 * segmentBytes + 7, 1);
  for (const target of [changed, next.subarray(0, 100 * blockBytes), concat(next, next)])
    expect(code(await buildPayload({ ...input, target: bytesImage(target) }, memoryFiles(kept).create))).toBe(
      'integrity/image-mismatch',
    );
  expect(kept.size).toBe(0);
});

describe('a fault on the way', () => {
  /** @param fails at this append of all */
  const counted = (fails = Number.POSITIVE_INFINITY) => {
    const kept = new Map<string, Uint8Array>();
    const open = new Set<string>();
    let appends = 0;
    const create: CreateFile = async (path) => {
      const file = unwrap(await memoryFiles(kept).create(path));
      open.add(path);
      return ok({
        append: async (bytes) => (++appends > fails ? deny('resource', 'storage-full') : file.append(bytes)),
        async finish() {
          open.delete(path);
          return file.finish();
        },
        async abandon() {
          open.delete(path);
        },
      });
    };
    return { kept, open, create, appends: () => appends };
  };

  test('of a file leaves none of the release', async () => {
    const whole = counted();
    unwrap(await buildPayload(input, whole.create));
    expect([whole.kept.size, whole.open.size]).toEqual([7, 0]);
    for (let fails = 0; fails < whole.appends() - 1; fails += 3) {
      const files = counted(fails);
      expect(code(await buildPayload(input, files.create))).toBe('resource/storage-full');
      expect([files.kept.size, files.open.size]).toEqual([0, 0]);
    }
  });

  test('of an image is the refusal, wherever it comes', async () => {
    const whole = { target: watched(next), base: watched(old) };
    const images = { target: whole.target.image, bases: [whole.base.image] };
    unwrap(await buildPayload({ ...input, ...images }, memoryFiles().create));
    for (const role of ['target', 'base'] as const)
      for (let fails = 0; fails < whole[role].lengths.length; fails += 2) {
        let reads = 0;
        const rotten = (image: Image): Image => ({
          ...image,
          read: async (...place) => (++reads > fails ? deny('unavailable', 'storage-failed') : image.read(...place)),
        });
        const files = counted();
        const failing = role === 'target' ? { target: rotten(input.target) } : { bases: input.bases.map(rotten) };
        expect(code(await buildPayload({ ...input, ...failing }, files.create))).toBe('unavailable/storage-failed');
        expect([files.kept.size, files.open.size]).toEqual([0, 0]);
      }
  });
});
