import { describe, expect, test } from 'vitest';
import { toHex } from './bytes.ts';
import { element, integer, objectIdentifier, sequence, setOf } from './der.ts';

describe('DER', () => {
  test('has short lengths, and long ones from 128', () => {
    expect(toHex(element(0x04, new Uint8Array(127))).slice(0, 4)).toBe('047f');
    expect(toHex(element(0x04, new Uint8Array(128))).slice(0, 6)).toBe('048180');
    expect(toHex(element(0x04, new Uint8Array(0x1234))).slice(0, 8)).toBe('04821234');
  });

  test('writes object identifiers as X.690 §8.19 does', () => {
    expect(toHex(objectIdentifier('1.2.840.113549'))).toBe('06062a864886f70d');
    expect(toHex(objectIdentifier('2.16.840.1.101.3.4.2.1'))).toBe('0609608648016503040201');
  });

  test('writes an integer in as few bytes as it takes, and never as a negative one', () => {
    for (const [value, hex] of [
      ...[[0, '020100'] as const, [127, '02017f'] as const, [128, '02020080'] as const, [256, '02020100'] as const],
      [0x81000001, '02050081000001'] as const,
    ])
      expect(toHex(integer(value)), String(value)).toBe(hex);
  });

  test('orders a set, and not a sequence', () => {
    const [one, two] = [integer(1), integer(2)];
    expect(toHex(setOf(two, one))).toBe('3106020101020102');
    expect(toHex(sequence(two, one))).toBe('3006020102020101');
  });
});
