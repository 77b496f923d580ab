import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { floorApprovals } from './floor.fixture.ts';
import { bitsAbove, epochOfMask, floorMask, floorName, floorWriteHash, maxFloorEpoch } from './floor.ts';

const { key } = floorApprovals(0);
const epochs = fc.integer({ min: 0, max: maxFloorEpoch });

test('SR-08: an epoch is its low bits, and what is above it the rest of 64', () => {
  expect([0, 1, 5, 64].map((epoch) => floorMask(epoch).toString(16))).toEqual(['0', '1', '1f', 'f'.repeat(16)]);
  expect([0, 5, 64].map((epoch) => toHex(bitsAbove(epoch)))).toEqual(['f'.repeat(16), 'ffffffffffffffe0', '0'.repeat(16)]);
});

test('SR-08: whatever is set in whatever order, the floor is the highest epoch', () => {
  fc.assert(
    fc.property(fc.array(epochs), (raised) => {
      const mask = raised.reduce((bits, epoch) => bits | floorMask(epoch), 0n);
      expect(epochOfMask(mask)).toBe(Math.max(0, ...raised));
    }),
  );
});

test('SR-08: bits with a gap are no floor', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: floorMask(64) }), (mask) => {
      const epoch = epochOfMask(mask);
      expect(epoch === undefined ? (mask & (mask + 1n)) !== 0n : floorMask(epoch) === mask).toBe(true);
    }),
  );
});

test('SR-08: a floor opens what is of its epoch and above, and nothing below', () => {
  fc.assert(
    fc.property(epochs, epochs, (floor, release) => {
      const above = BigInt(`0x${toHex(bitsAbove(release))}`);
      expect((floorMask(floor) & above) === 0n).toBe(release >= floor);
    }),
  );
});

test('the index has two names, and each write a hash of its own', () => {
  expect(toHex(floorName(key, true))).not.toBe(toHex(floorName(key, false)));
  const hashes = Array.from({ length: maxFloorEpoch + 1 }, (_, epoch) => toHex(floorWriteHash(key, epoch)));
  expect(new Set(hashes).size).toBe(maxFloorEpoch + 1);
});
