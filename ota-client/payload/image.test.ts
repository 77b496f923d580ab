import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { codeOf, deny, done, type Result, unwrap } from '#hal/core/result';
import { bytesImage, eachSegment, slotImage, wholeBlocks } from './image.ts';
import { indexOf } from './image-index.ts';
import { sampleImage } from './images.fixture.ts';
import { blockBytes, maxImageBytes, segmentBytes } from './limits.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const bytes = sampleImage('odd', 130).subarray(0, 2 * segmentBytes + 5000);
const padded = concat(bytes, new Uint8Array(2 * blockBytes - 5000));
/** As a file reads: into the memory that is given, which held something else. */
const copying = (of: Uint8Array) => {
  const image = bytesImage(of);
  return {
    ...image,
    async read(offsetBytes: number, lengthBytes: number, into?: Uint8Array) {
      const read = await image.read(offsetBytes, lengthBytes);
      if (!read.ok || into === undefined) return read;
      into.fill(0xee);
      into.set(read.value);
      return { ok: true, value: into.subarray(0, lengthBytes) } as const;
    },
  };
};

describe.each([
  ['bytes', bytesImage],
  ['a file', copying],
])('an image of %s, as it lies in its slot', (_, imageOf) => {
  test('ends with zeros, wherever it is read', async () => {
    const image = unwrap(slotImage(imageOf(bytes)));
    expect(image.sizeBytes).toBe(padded.length);
    const places = [
      [0, padded.length],
      [2 * segmentBytes, 2 * blockBytes],
      [bytes.length - 1, 2],
      [bytes.length, padded.length - bytes.length],
      [padded.length - 1, 1],
      [padded.length, 0],
    ] as const;
    for (const [offset, length] of places)
      for (const into of [undefined, new Uint8Array(padded.length).fill(0x77)])
        expect(Buffer.compare(unwrap(await image.read(offset, length, into)), padded.subarray(offset, offset + length))).toBe(0);
  });

  test('has nothing behind its last block', async () => {
    const image = unwrap(slotImage(imageOf(bytes)));
    for (const [offset, length] of [
      [padded.length, 1],
      [padded.length - 1, 2],
      [-1, 1],
    ] as const)
      expect(code(await image.read(offset, length))).toBe('protocol/field-invalid');
  });

  test('goes by segment by segment, and until the first fault', async () => {
    const image = unwrap(slotImage(imageOf(bytes)));
    const parts: Uint8Array[] = [];
    unwrap(
      await eachSegment(image, (segment) => {
        parts.push(segment.slice());
        return done;
      }),
    );
    expect(parts.map(({ length }) => length)).toEqual([segmentBytes, segmentBytes, 2 * blockBytes]);
    expect(Buffer.compare(concat(...parts), padded)).toBe(0);
    const stopped = await eachSegment(image, (_segment, at) => (at === 1 ? deny('resource', 'storage-full') : done));
    expect(code(stopped)).toBe('resource/storage-full');
    expect(unwrap(await indexOf(imageOf(bytes)))).toEqual(unwrap(await indexOf(bytesImage(padded))));
  });
});

test('an image has one byte at least, and not more than the limit', () => {
  const sized = (sizeBytes: number) => slotImage({ ...bytesImage(bytes), sizeBytes });
  expect([1, maxImageBytes].map((size) => code(sized(size)))).toEqual(['ok', 'ok']);
  expect([0, -1, maxImageBytes + 1, Number.NaN].map((size) => code(sized(size)))).toEqual(
    Array.from({ length: 4 }, () => 'protocol/config-invalid'),
  );
  expect(Buffer.compare(wholeBlocks(bytes), padded)).toBe(0);
  expect(wholeBlocks(padded)).toBe(padded);
});
