import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { codeOf, deny, done, ok, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { maxTakenSegments, type TakenRun } from '#hal/ports/updater';
import { blockBytes, segmentBytes } from '../payload/limits.ts';
import { taker } from './take.ts';

const segmentBlocks = segmentBytes / blockBytes;
const slot = seededRandom('running slot').bytes(12 * segmentBytes);
const digestOf = (...parts: readonly Uint8Array[]): Uint8Array =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const blocksOf = (block: number, blocks: number) => slot.subarray(block * blockBytes, (block + blocks) * blockBytes);
/** Of blocks that are a segment, or the shorter one that ends an image. */
const segmentAt = (block: number, blocks = segmentBlocks): TakenRun => ({
  digests: digestOf(blocksOf(block, blocks)),
  ranges: [{ block, blocks }],
});
const zeros: TakenRun = { digests: digestOf(new Uint8Array(segmentBytes)), ranges: [{ blocks: segmentBlocks }] };
const other: TakenRun = { ...segmentAt(0), digests: new Uint8Array(32) };
const together = (...runs: readonly TakenRun[]): TakenRun => ({
  digests: concat(...runs.map(({ digests }) => digests)),
  ranges: runs.flatMap(({ ranges }) => ranges),
});

/** Hands over the slot; what they wrote, and how they read. */
const hands = ({ windowBytes = 8 * 1024 * 1024, unreadableBlock = Number.POSITIVE_INFINITY, refuses = false } = {}) => {
  const written: { readonly segment: number; readonly bytes: Uint8Array }[] = [];
  const reads: number[] = [];
  const take = taker(
    {
      async write(segment, bytes) {
        if (refuses) return deny('resource', 'storage-full');
        written.push({ segment, bytes: bytes.slice() });
        return done;
      },
    },
    {
      async read(offsetBytes, lengthBytes, into) {
        reads.push(lengthBytes);
        if (offsetBytes + lengthBytes > Math.min(slot.length, unreadableBlock * blockBytes))
          return deny('unavailable', 'storage-failed');
        const bytes = slot.subarray(offsetBytes, offsetBytes + lengthBytes);
        if (into === undefined || reads.length % 2 === 0) return ok(bytes.slice());
        into.set(bytes);
        return ok(into.subarray(0, lengthBytes));
      },
    },
    windowBytes,
  );
  return { take, written, reads, bytes: () => Buffer.concat(written.map(({ bytes }) => bytes)) };
};

describe('segments out of the running slot', () => {
  test('are written as many at once as a window has, and as many blocks are read at once as may be', async () => {
    const { take, written, reads, bytes } = hands({ windowBytes: 8 * segmentBytes });
    const { digests } = together(...Array.from({ length: 10 }, (_, at) => segmentAt(at * segmentBlocks)));
    expect(unwrap(await take(3, { digests, ranges: [{ block: 0, blocks: 10 * segmentBlocks }] }))).toBe(10);
    expect(written.map(({ segment, bytes }) => [segment, bytes.length / segmentBytes])).toEqual([
      [3, 8],
      [11, 2],
    ]);
    expect(reads).toEqual([8 * segmentBytes, 2 * segmentBytes]);
    expect(bytes().equals(slot.subarray(0, 10 * segmentBytes))).toBe(true);
  });

  test('are what was verified, also where two take at once', async () => {
    const written: Uint8Array[] = [];
    const write = async (segment: number, bytes: Uint8Array) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      written[segment] = bytes.slice();
      return done;
    };
    const read = async (offsetBytes: number, lengthBytes: number) => ok(slot.slice(offsetBytes, offsetBytes + lengthBytes));
    const take = taker({ write }, { read }, segmentBytes);
    await Promise.all([take(0, segmentAt(0)), take(1, segmentAt(segmentBlocks))]);
    expect(Buffer.concat(written).equals(slot.subarray(0, 2 * segmentBytes))).toBe(true);
  });

  test('are not more at once than a window', async () => {
    const { take, written } = hands({ windowBytes: segmentBytes });
    unwrap(await take(0, together(zeros, zeros)));
    expect(written.map(({ segment }) => segment)).toEqual([0, 1]);
  });

  test.each<[string, TakenRun, number]>([
    ['has another digest', together(segmentAt(0), other, segmentAt(64)), 1],
    ['lies outside', together(segmentAt(0), { ...segmentAt(0), ranges: [{ block: 768, blocks: segmentBlocks }] }), 1],
    ['is the first', other, 0],
  ])('end before one that %s (SR-01)', async (_, wanted, taken) => {
    const { take, bytes } = hands();
    expect(unwrap(await take(0, wanted))).toBe(taken);
    expect(bytes().length).toBe(taken * segmentBytes);
  });

  test.each<[string, TakenRun]>([
    ['more blocks than digests', { ...segmentAt(0), ranges: [{ block: 0, blocks: segmentBlocks + 1 }] }],
    ['fewer blocks than digests', { ...together(zeros, zeros), ranges: [{ blocks: segmentBlocks }] }],
    ['a digest cut short', { ...segmentAt(0), digests: new Uint8Array(31) }],
    ['blocks beyond count', { ...segmentAt(0), ranges: Array(9).fill({ block: 0, blocks: 2 ** 32 - 1 }) }],
    ['more than a call may take', together(...Array<TakenRun>(maxTakenSegments + 1).fill(zeros))],
  ])('are refused with %s, and nothing is read or written', async (_, wanted) => {
    const { take, written, reads } = hands();
    const taken = await take(0, wanted);
    expect(taken.ok || codeOf(taken.fault)).toBe('protocol/field-invalid');
    expect([written, reads]).toEqual([[], []]);
  });

  test('end before what cannot be read, be it read together with what can', async () => {
    const { take } = hands({ unreadableBlock: 4 * segmentBlocks - 1 });
    const at = (places: readonly number[]) => together(...places.map((place) => segmentAt(place * segmentBlocks)));
    expect(unwrap(await take(0, at([0, 2, 4, 1])))).toBe(2);
    expect(unwrap(await take(0, { ...at([0, 1, 2, 3]), ranges: [{ block: 0, blocks: 4 * segmentBlocks }] }))).toBe(0);
  });

  test('a shorter one, which ends an image, is written behind the others', async () => {
    const { take, written } = hands();
    expect(unwrap(await take(0, together(segmentAt(5), segmentAt(9, 3))))).toBe(2);
    expect(written.map(({ segment, bytes }) => [segment, bytes.length])).toEqual([[0, segmentBytes + 3 * blockBytes]]);
  });

  test('a fault of the writer is a fault', async () => {
    expect(await hands({ refuses: true }).take(0, zeros)).toMatchObject({ ok: false, fault: { reason: 'storage-full' } });
  });

  test('are the bytes that were asked for, wherever they lie', async () => {
    const range = fc.record({ block: fc.nat(slot.length / blockBytes - 64), blocks: fc.integer({ min: 1, max: 64 }) });
    const ranges = fc.array(range, { maxLength: 6 }).map((drawn) => {
      let left = segmentBlocks;
      const cut = drawn.map(({ block, blocks }) => {
        const used = Math.min(left, blocks);
        left -= used;
        return { block, blocks: used };
      });
      return left > 0 && drawn.length > 0 ? [...cut, { block: 0, blocks: left }] : cut;
    });
    const draw = fc.array(
      ranges.map((drawn) => drawn.filter(({ blocks }) => blocks > 0)),
      { maxLength: 9 },
    );
    await fc.assert(
      fc.asyncProperty(draw, async (all) => {
        const parts = all.map((drawn) =>
          drawn.length === 0 ? [new Uint8Array(segmentBytes)] : drawn.map(({ block, blocks }) => blocksOf(block, blocks)),
        );
        const { take, bytes } = hands({ windowBytes: 2 * segmentBytes });
        const wanted = all.map((drawn, at) => ({
          digests: digestOf(...(parts[at] ?? [])),
          ranges: drawn.length === 0 ? zeros.ranges : drawn,
        }));
        expect(unwrap(await take(0, together(...wanted)))).toBe(all.length);
        expect(bytes().equals(Buffer.concat(parts.flat()))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
