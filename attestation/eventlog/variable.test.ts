import { expect, test } from 'vitest';
import { concat, fromHex, utf8 } from '#hal/core/bytes';
import { globalVendor } from '#hal/core/guid';
import { decodeVariable, encodeVariable } from './variable.ts';

/** As firmware measures it: GUID in its memory order, then counts, then the name in UTF-16. */
const secureBoot = '61dfe48bca93d211aa0d00e098032b8c0a00000000000000010000000000000053006500630075007200650042006f006f00740001';

test('a variable is read', () => {
  expect(decodeVariable(fromHex(secureBoot) ?? new Uint8Array(0))).toEqual({
    guid: globalVendor,
    name: 'SecureBoot',
    content: Uint8Array.of(1),
    bytesLeft: 0,
  });
});

test('reading leaves the bytes as they are, also those of a Buffer', () => {
  const bytes = Buffer.from(secureBoot, 'hex');
  decodeVariable(bytes);
  expect(bytes.toString('hex')).toBe(secureBoot);
});

test('a variable is written as firmware writes it', () => {
  expect(encodeVariable(globalVendor, 'SecureBoot', Uint8Array.of(1))).toEqual(fromHex(secureBoot));
});

test('bytes after the structure are counted', () => {
  expect(decodeVariable(concat(encodeVariable(globalVendor, 'db', utf8('x')), utf8('123456')))?.bytesLeft).toBe(6);
});

test('data that ends before the structure does is no variable', () => {
  const bytes = fromHex(secureBoot) ?? new Uint8Array(0);
  for (let length = 0; length < bytes.length; length += 1) expect(decodeVariable(bytes.subarray(0, length))).toBeUndefined();
});

test.each([
  ['name', 16],
  ['content', 24],
])('2^64-1 as the count of the %s is refused', (_, offset) => {
  const bytes = fromHex(secureBoot) ?? new Uint8Array(0);
  bytes.fill(0xff, offset, offset + 8);
  expect(decodeVariable(bytes)).toBeUndefined();
});

test('a name that is no text is read without a throw', () => {
  const lone = encodeVariable(globalVendor, '\ud800', new Uint8Array(0));
  expect(decodeVariable(lone)?.name).toBe('\ufffd');
});

test('what is no GUID is not written', () => {
  expect(() => encodeVariable('8be4df61', 'x', new Uint8Array(0))).toThrow('not a GUID: 8be4df61');
});
