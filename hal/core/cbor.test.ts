import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '#hal/core/bytes';
import { type Cbor, decodeCbor, encodeCbor, maxCborBytes } from './cbor.ts';

const decodeHex = (hex: string) => decodeCbor(fromHex(hex) ?? new Uint8Array());

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
  ])('refuses %s', (_, hex) => {
    expect(decodeHex(hex)).toMatchObject({ ok: false, fault: { category: 'protocol', reason: 'malformed' } });
  });

  test('refuses more than its limit without reading it', () => {
    expect(decodeCbor(new Uint8Array(maxCborBytes + 1))).toMatchObject({ ok: false, fault: { reason: 'too-large' } });
  });

  test('survives nesting that no object of ours has', () => {
    expect(decodeCbor(new Uint8Array(200_000).fill(0x81)).ok).toBe(false);
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

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decoded = decodeCbor(bytes);
        if (decoded.ok) expect(toHex(encodeCbor(decoded.value))).toBe(toHex(bytes));
      }),
    );
  });
});
