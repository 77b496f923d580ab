/**
 * The same images give the same files, whatever the publisher's code becomes: a recipe that changes for no reason is a
 * download that changes for no reason. The digests are those of whole images held in memory, with the zstd of the pinned Node.
 */
import { expect, test } from 'vitest';
import { concat, toHex } from '#hal/core/bytes';
import { seededRandom } from '#hal/memory/random';
import { nextImage, sampleImage } from './images.fixture.ts';
import { blockBytes, segmentBytes } from './limits.ts';
import { builtPayload } from './payload.fixture.ts';
import golden from './same-bytes.golden.json' with { type: 'json' };
import { sha256 } from './segment-index.ts';

const shuffled = (image: Uint8Array): Uint8Array =>
  concat(
    ...Array.from({ length: Math.floor(image.length / blockBytes) }, (_, at) =>
      image.subarray(at * blockBytes, (at + 1) * blockBytes),
    ).toReversed(),
  );
const grown = (image: Uint8Array): Uint8Array => image.map((byte, at) => (at % 16 === 0 ? (byte + 40) & 255 : byte));
const old = sampleImage('same', 300);
const noise = seededRandom('same noise').bytes(segmentBytes + 77);
const formatted = concat(Uint8Array.of(0x37, 0xa4, 0x30, 0xec), sampleImage('same formatted', 64).subarray(4));

/** Base and target; together they bring every kind of segment, odd tails, a base that is larger and one that is smaller. */
const pairs = {
  next: [old, nextImage('same', old)],
  grown: [old, concat(grown(old.subarray(0, 2 * segmentBytes)), new Uint8Array(segmentBytes), old.subarray(3 * segmentBytes))],
  shuffled: [old, shuffled(old)],
  noise: [concat(noise, old), concat(old.subarray(0, 100 * blockBytes), noise, old.subarray(blockBytes))],
  formatted: [formatted, concat(formatted.subarray(0, 9000), seededRandom('same').bytes(40), formatted.subarray(9040))],
} as const satisfies Readonly<Record<string, readonly [Uint8Array, Uint8Array]>>;

const digestsOf = (files: ReadonlyMap<string, Uint8Array>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...files].map(([path, bytes]) => [path, `${bytes.length} ${toHex(sha256(bytes)).slice(0, 16)}`]).toSorted(),
  );

test.each(Object.keys(pairs) as (keyof typeof pairs)[])('%s: the files of a release are these', async (name) => {
  const [base, target] = pairs[name];
  for (const level of [1, 19] as const) {
    const { contents } = await builtPayload(target, base, { folder: 'r', level, isForAnySource: true });
    expect(digestsOf(contents)).toEqual(golden[name][level]);
  }
});
