import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, concatAll, u8, u16be } from '#hal/core/bytes';
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
const nothing = new Uint8Array();

test('packets up to the limit pass, each whole, however the bytes come', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 8 }), places, (bodies, at) => {
      const packetsOf = packetsWithin(1 + 2 + 300);
      const ends = new Set([0]);
      for (const body of bodies) ends.add(Math.max(...ends) + packet(body).length);
      const sent = concat(...bodies.map(packet));
      const passed: Uint8Array[] = [];
      for (const chunk of cut(sent, at)) {
        passed.push(packetsOf(chunk) ?? nothing);
        expect(ends).toContain(concatAll(passed).length);
      }
      expect(concatAll(passed)).toEqual(sent);
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
        const packetsOf = packetsWithin(packet(200).length);
        const header = concat(u8(0x30), lengthOf(large));
        const verdicts = cut(concat(...bodies.map(packet), header), at).map((chunk) => packetsOf(chunk));
        expect(verdicts.at(-1)).toBeUndefined();
        expect(packetsOf(packet(1))).toBeUndefined();
      },
    ),
  );
});

test.each<[string, number, boolean]>([
  ['of exactly the limit passes', 127, true],
  ['of one byte more does not', 128, false],
])('a packet %s', (_, bodyBytes, passes) => {
  expect(packetsWithin(129)(packet(bodyBytes)) !== undefined).toBe(passes);
});

test('a length that has no end is refused at its fourth byte', () => {
  const packetsOf = packetsWithin(2 ** 29);
  expect(packetsOf(Uint8Array.of(0x30, 0x80, 0x80, 0x80))).toEqual(nothing);
  expect(packetsOf(Uint8Array.of(0x80))).toBeUndefined();
});

describe('of the kinds of packet', () => {
  const taken = [0x20, 0x30, 0x31, 0x32, 0x33, 0x38, 0x39, 0x3a, 0x3b, 0x40, 0x90, 0xd0, 0xe0];

  test('those pass that a client of QoS 1 is sent, and no other with its first byte', () => {
    for (let type = 0; type < 256; type += 1)
      expect([type, packetsWithin(100)(u8(type)) !== undefined]).toEqual([type, taken.includes(type)]);
  });

  test.each<[string, Uint8Array, boolean]>([
    ['an identifier behind its topic', concat(u16be(1), u8(0x61), u16be(7)), true],
    ['an identifier behind no topic', concat(u16be(0), u16be(7)), true],
    ['one byte for an identifier', concat(u16be(1), u8(0x61), u8(7)), false],
    ['no identifier', concat(u16be(1), u8(0x61)), false],
    ['a topic that goes beyond it', concat(u16be(9), u8(0x61), u16be(7)), false],
    ['half a length of its topic', u8(0), false],
    ['nothing', nothing, false],
  ])('a message of QoS 1 with %s', (_, body, passes) => {
    expect(packetsWithin(100)(concat(u8(0x32), u8(body.length), body)) !== undefined).toBe(passes);
  });
});
