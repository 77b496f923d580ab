import { expect, test } from 'vitest';
import { toHex } from './bytes.ts';
import { bootVariable, decodeBootOrder, encodeBootOrder, encodeLoadOption } from './efi-load-option.ts';
import { guidBytes, guidText } from './guid.ts';

test('a GUID has its first three groups turned around, and back', () => {
  const text = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
  expect(toHex(guidBytes(text))).toBe('61dfe48bca93d211aa0d00e098032b8c');
  expect(guidText(guidBytes(text))).toBe(text);
});

test('a boot entry is active, and names partition and file (UEFI 2.10 §3.1.3, §10.3.5)', () => {
  const partition = { number: 2, startSector: 0x800, sectors: 0x1000, uuid: '00112233-4455-6677-8899-aabbccddeeff' };
  const option = toHex(encodeLoadOption({ title: 'A', partition, path: '\\B' }));
  const drive = ['04012a00', '02000000', '0008000000000000', '0010000000000000', '33221100554477668899aabbccddeeff', '0202'];
  const file = ['04040a00', '5c0042000000'];
  expect(option).toBe(['01000000', '3800', '41000000', ...drive, ...file, '7fff0400'].join(''));
});

test('the boot order is its numbers, little-endian; half a number at the end is none', () => {
  expect(toHex(encodeBootOrder([0x10, 0x11]))).toBe('10001100');
  expect(decodeBootOrder(new Uint8Array([0x10, 0, 0x11, 0, 0x12]))).toEqual([0x10, 0x11]);
  expect(bootVariable(0x1a)).toBe('Boot001A');
});
