import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, toHex } from '#hal/core/bytes';
import { type Cbor, decodeCbor, encodeCbor, maxCborBytes, maxCborDepth } from './cbor.ts';

const decodeHex = (hex: string) => decodeCbor(fromHex(hex) ?? new Uint8Array());

const malformed = { ok: false, fault: { category: 'protocol', reason: 'malformed' } };

describe('deterministic CBOR', () => {
  test('sorts map keys bytewise (RFC 8949 §4.2.1)', () => {
    // The example of the section: 10, 100, -1, "z", "aa".
    const map = new Map<number | string, Cbor>([
      ['aa', 5],
      [100, 2],
      ['z', 4],
      [-1, 3],
      [10, 1],
    ]);
    expect(toHex(encodeCbor(map))).toBe('a50a0118640220' + '03' + '617a04' + '626161' + '05');
  });

  test.each([
    ['a repeated key', 'a2010101' + '02'],
    ['keys out of order', 'a20201' + '0102'],
    ['a longer integer than needed', '1801'],
    ['an indefinite array', '9f01ff'],
    ['bytes left over', '0101'],
    ['a truncated string', '6261'],
    ['undefined', 'f7'],
    ['a tag', 'c101'],
    ['not a number', 'f97e00'],
    ['nothing', ''],
    ['a text that begins with a byte order mark', '63efbbbf'],
    ['a text with half a surrogate pair', '63eda080'],
    ['a map for a key', 'a1a0' + '01'],
    ['maps for keys, which nothing can sort', 'a2a0' + '01' + '80' + '02'],
    ['bytes for a key', 'a14101' + '01'],
    ['no value for a key', 'a1f6' + '01'],
    ['a fraction for a key', 'a1f93e00' + '01'],
    ['an integer for a key that no number holds', 'a11bffffffffffffffff' + '01'],
  ])('refuses %s', (_, hex) => {
    expect(decodeHex(hex)).toMatchObject(malformed);
  });

  test('refuses more than its limit without reading it', () => {
    expect(decodeCbor(new Uint8Array(maxCborBytes + 1))).toMatchObject({ ok: false, fault: { reason: 'too-large' } });
  });

  test('reads nesting to its limit, and refuses any deeper one', () => {
    const nested = (depth: number) => decodeCbor(concat(new Uint8Array(depth).fill(0x81), Uint8Array.of(0x80)));
    expect(nested(maxCborDepth - 1).ok).toBe(true);
    for (let depth = maxCborDepth; depth < 400_000; depth *= 2) expect(nested(depth)).toMatchObject(malformed);
  });

  const value = fc.letrec<{ cbor: Cbor }>((tie) => ({
    cbor: fc.oneof(
      { depthSize: 'small' },
      fc.integer(),
      fc.string(),
      fc.boolean(),
      fc.uint8Array({ maxLength: 40 }),
      fc.constant(null),
      fc.array(tie('cbor'), { maxLength: 5 }),
      fc.array(fc.tuple(fc.oneof(fc.integer(), fc.string()), tie('cbor')), { maxLength: 5 }).map((entries) => new Map(entries)),
    ),
  })).cbor;

  test('reads back what it wrote, in the same bytes', () => {
    fc.assert(
      fc.property(value, (any) => {
        const bytes = encodeCbor(any);
        const decoded = decodeCbor(bytes);
        expect(decoded.ok && toHex(encodeCbor(decoded.value))).toBe(toHex(bytes));
      }),
    );
  });

  /** Heads and items as CBOR has them, with anything at all for a key and in any order. */
  const wellFormed = fc.letrec<{ item: Uint8Array }>((tie) => {
    const many = fc.array(tie('item'), { maxLength: 4 });
    return {
      item: fc.oneof(
        { depthSize: 'small' },
        value.map(encodeCbor),
        many.map((items) => concat(Uint8Array.of(0x80 + items.length), ...items)),
        many.map((items) => concat(Uint8Array.of(0xa0 + items.length), ...items, ...items)),
      ),
    };
  }).item;

  test.each([
    ['whatever the bytes', fc.uint8Array({ maxLength: 200 })],
    ['nor for what is well formed', wellFormed],
  ])('never throws, %s', (_, input) => {
    fc.assert(
      fc.property(input, (bytes) => {
        const decoded = decodeCbor(bytes);
        if (decoded.ok) expect(toHex(encodeCbor(decoded.value))).toBe(toHex(bytes));
      }),
    );
  });
});
