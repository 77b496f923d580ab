/** Fuzz of everything that reads bytes of a repository: an answer for every input, and never two meanings. */
import { canonicalize } from '@tufjs/canonical-json';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { canonicalJson } from './canonical.ts';
import { hybridForge } from './forge.fixture.ts';
import { type Json, parseJson } from './json.ts';
import { deviceSchemes } from './keys.ts';
import { readRoot, readSnapshot, readTargets, readTimestamp } from './metadata.ts';

const runs = Number(process.env['ENIGM_FUZZ_RUNS'] ?? 500);
const limit = 1_000_000;

const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__'),
      tie('value'),
      { maxKeys: 5 },
    ),
  ),
})).value;

describe('the reader of JSON', () => {
  test('reads whatever JSON.stringify writes, as the same value', () => {
    fc.assert(
      fc.property(value, fc.boolean(), (json, isIndented) => {
        const text = JSON.stringify(json, null, isIndented ? 2 : undefined);
        expect(JSON.parse(JSON.stringify(unwrap(parseJson(utf8(text), limit))))).toEqual(JSON.parse(text));
      }),
      { numRuns: runs },
    );
  });

  test('never throws, and accepts nothing that JSON.parse refuses', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      'u00',
      '1',
      '-',
      '.',
      'e',
      'true',
      'null',
      ' ',
      '\n',
      '\u0000',
      'a',
      '__proto__',
    ];
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (input) => {
        if (parseJson(utf8(input), limit).ok) expect(() => JSON.parse(input) as unknown).not.toThrow();
      }),
      { numRuns: 4 * runs },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void parseJson(bytes, limit)),
      { numRuns: runs },
    );
  });
});

describe('canonical JSON', () => {
  test('depends on the value alone, not on how it was written', () => {
    fc.assert(
      fc.property(value, (json) => {
        const canonical = canonicalJson(json);
        const reread = unwrap(parseJson(utf8(JSON.stringify(json, null, 3)), limit));
        expect(canonicalJson(reread)).toEqual(canonical);
      }),
      { numRuns: runs },
    );
  });

  test('is what tuf-js signs, but for names that need surrogate pairs', () => {
    const bmp = fc.string({ unit: 'grapheme-ascii' });
    const plain = fc.dictionary(
      bmp.filter((name) => name !== '__proto__'),
      fc.oneof(bmp, fc.integer(), fc.array(bmp)),
    );
    fc.assert(
      fc.property(plain, (json) => {
        expect(new TextDecoder().decode(canonicalJson(json))).toBe(canonicalize(json));
      }),
      { numRuns: runs },
    );
  });

  test('two values have one form only when they are equal', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const isOneForm = Buffer.from(canonicalJson(a)).equals(canonicalJson(b));
        const sorted = (json: Json) => canonicalize(json);
        expect(isOneForm).toBe(sorted(a) === sorted(b));
      }),
      { numRuns: runs },
    );
  });
});

describe('readers of metadata', () => {
  const forge = hybridForge();
  const readers = [
    ['root', readRoot],
    ['timestamp', readTimestamp],
    ['snapshot', readSnapshot],
    ['targets', readTargets],
  ] as const;

  test.each(readers)('%s: any change of any bytes is read or refused, never thrown', (role, read) => {
    const original = forge.latest(role);
    expect(read(original, deviceSchemes).ok).toBe(true);
    const edit = fc.record({ at: fc.nat(original.length - 1), remove: fc.nat(8), insert: fc.uint8Array({ maxLength: 8 }) });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let bytes = Buffer.from(original);
        for (const { at, remove, insert } of edits)
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(Math.min(bytes.length, at + remove))]);
        void read(bytes, deviceSchemes);
      }),
      { numRuns: runs / 5 },
    );
  });

  test.each(readers)('%s: any JSON in its place is refused', (_, read) => {
    fc.assert(
      fc.property(value, value, (signed, signatures) => {
        expect(read(utf8(JSON.stringify({ signed, signatures })), deviceSchemes).ok).toBe(false);
      }),
      { numRuns: runs / 5 },
    );
  });
});
