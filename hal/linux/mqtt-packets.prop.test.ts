import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat, u8 } from '#hal/core/bytes';
import { packetsWithin } from './mqtt-packets.ts';

const lengthOf = (length: number): Uint8Array =>
  length < 128 ? u8(length) : concat(u8((length % 128) | 0x80), lengthOf(Math.floor(length / 128)));
/** A packet with a body that looks like headers. */
const packet = (bodyBytes: number): Uint8Array => concat(u8(0x30), lengthOf(bodyBytes), new Uint8Array(bodyBytes).fill(0xff));
/** Cut at these places. */
const cut = (bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] => {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
};
const places = fc.array(fc.nat(), { maxLength: 12 });

test('packets up to the limit pass, however the bytes come', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 8 }), places, (bodies, at) => {
      const isWithin = packetsWithin(1 + 2 + 300);
      for (const chunk of cut(concat(...bodies.map(packet)), at)) expect(isWithin(chunk)).toBe(true);
    }),
  );
});

test('a larger one is refused with its header, before any of its body, and nothing passes after it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(200), { maxLength: 4 }),
      fc.integer({ min: 201, max: 2 ** 28 - 1 }),
      places,
      (bodies, large, at) => {
        const isWithin = packetsWithin(packet(200).length);
        const header = concat(u8(0x30), lengthOf(large));
        const verdicts = cut(concat(...bodies.map(packet), header), at).map((chunk) => isWithin(chunk));
        expect(verdicts.at(-1)).toBe(false);
        expect(isWithin(packet(1))).toBe(false);
      },
    ),
  );
});

test.each<[string, number, boolean]>([
  ['of exactly the limit passes', 127, true],
  ['of one byte more does not', 128, false],
])('a packet %s', (_, bodyBytes, passes) => {
  expect(packetsWithin(129)(packet(bodyBytes))).toBe(passes);
});

test('a length that has no end is refused at its fourth byte', () => {
  const isWithin = packetsWithin(2 ** 29);
  expect(isWithin(Uint8Array.of(0x30, 0x80, 0x80, 0x80))).toBe(true);
  expect(isWithin(Uint8Array.of(0x80))).toBe(false);
});
