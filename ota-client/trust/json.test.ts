import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { canonicalJson } from './canonical.ts';
import { codeFor } from './forge.fixture.ts';
import { maxDepth, maxValues, parseJson } from './json.ts';

const read = (text: string) => parseJson(utf8(text), 10_000_000);
const canonical = (text: string): string => new TextDecoder().decode(canonicalJson(unwrap(read(text))));

describe('the strict reader of JSON', () => {
  test.each([
    ['{}', '{}'],
    [' [ 1 , -2 , 0 , true , false , null ] ', '[1,-2,0,true,false,null]'],
    ['{"b":1,"a":{"d":[],"c":""}}', '{"a":{"c":"","d":[]},"b":1}'],
    ['"\\u00e9\\n\\t\\/\\"\\\\"', '"é\n\t/\\"\\\\"'],
    ['"\\ud83d\\ude00"', '"😀"'],
    ['9007199254740991', '9007199254740991'],
    ['"a"', '"a"'],
  ])('reads %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  test.each([
    ['a repeated name', '{"a":1,"a":1}'],
    ['a repeated name, spelled with an escape', '{"a":1,"\\u0061":2}'],
    ['__proto__', '{"__proto__":{}}'],
    ['a fraction', '1.0'],
    ['an exponent', '1e3'],
    ['minus zero', '-0'],
    ['a leading zero', '01'],
    ['a number that is not safe', '9007199254740992'],
    ['half of a surrogate pair', '"\\ud83d"'],
    ['the other half', '"\\ude00\\ud83d"'],
    ['a raw control character', '"\n"'],
    ['an unknown escape', '"\\x41"'],
    ['a short escape', '"\\u12"'],
    ['an open string', '"a'],
    ['an open list', '[1'],
    ['a trailing comma', '[1,]'],
    ['a name without quotation marks', '{a:1}'],
    ['a missing value', '{"a":}'],
    ['a comment', '/* */ 1'],
    ['a byte order mark', '\ufeff1'],
    ['a second value', '1 2'],
    ['nothing', ''],
    ['NaN', 'NaN'],
  ])('refuses %s', (_, text) => {
    expect(codeFor(read(text))).toBe('protocol/malformed');
  });

  test('refuses bytes that are not UTF-8, and what is too long, too deep or too many', () => {
    expect(codeFor(parseJson(new Uint8Array([0x22, 0xc3, 0x28, 0x22]), 100))).toBe('protocol/malformed');
    expect(codeFor(parseJson(utf8('[1]'), 2))).toBe('protocol/too-large');
    expect(codeFor(read('['.repeat(maxDepth) + ']'.repeat(maxDepth)))).toBe('ok');
    expect(codeFor(read('['.repeat(maxDepth + 2) + ']'.repeat(maxDepth + 2)))).toBe('resource/count-limit');
    expect(codeFor(read(`[${'0,'.repeat(maxValues)}0]`))).toBe('resource/count-limit');
  });

  test('a name that every object inherits elsewhere is absent here', () => {
    const object = unwrap(read('{}')) as Record<string, unknown>;
    expect(object['constructor']).toBeUndefined();
    expect(object['toString']).toBeUndefined();
  });
});

describe('canonical JSON', () => {
  test('sorts names by code point, where JavaScript sorts by UTF-16 unit', () => {
    const text = '{"\\uffff":1,"\\ud83d\\ude00":2}';
    expect(canonical(text)).toBe('{"\uffff":1,"😀":2}');
    expect(Object.keys(JSON.parse(text)).toSorted()).toEqual(['😀', '\uffff']);
  });

  test('throws for a number that is not whole, which the reader never gives', () => {
    expect(() => canonicalJson(1.5)).toThrow(RangeError);
  });
});
