import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { codeOf, unwrap } from '#hal/core/result';
import { smallPe } from './pe.fixture.ts';
import { alignUp, authenticodeDigest, withSections, withSignature } from './pe.ts';

const sections = (file: Uint8Array) => {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const coff = view.getUint32(0x3c, true) + 4;
  const table = coff + 20 + view.getUint16(coff + 16, true);
  return Array.from({ length: view.getUint16(coff + 2, true) }, (_, index) => {
    const at = table + 40 * index;
    const [virtualBytes = 0, address = 0, rawBytes = 0, offset = 0] = [8, 12, 16, 20].map((by) => view.getUint32(at + by, true));
    const name = Buffer.from(file.subarray(at, at + 8))
      .toString('latin1')
      .replaceAll('\0', '');
    return { name, address, rawBytes, contents: file.subarray(offset, offset + virtualBytes) };
  });
};

describe('a PE file with more sections', () => {
  const added = [
    { name: '.linux', bytes: new Uint8Array(5000).fill(1) },
    { name: '.cmdline', bytes: new Uint8Array(7).fill(2) },
  ];

  test('has its own and then those, each where its header says, none over another', () => {
    const file = unwrap(withSections(smallPe(), added));
    const found = sections(file);
    expect(found.map(({ name }) => name)).toEqual(['.text', '.data', '.linux', '.cmdline']);
    expect(found.slice(2).map(({ contents }) => contents)).toEqual(added.map(({ bytes }) => bytes));
    for (const [index, { address }] of found.entries()) {
      const before = found[index - 1];
      if (before !== undefined) expect(address).toBeGreaterThanOrEqual(before.address + before.contents.length);
    }
    expect(found[3]?.address).toBe(alignUp((found[2]?.address ?? 0) + 5000, 4096));
  });

  test('is the same for the same input, and bears neither time nor symbols of the original', () => {
    const early = smallPe({ timestamp: 1 });
    const late = smallPe({ timestamp: 2 });
    expect(unwrap(withSections(early, added))).toEqual(unwrap(withSections(late, added)));
  });

  test('is refused where the header has no room for them', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ name: `.s${index}`, bytes: new Uint8Array(1) }));
    const made = withSections(smallPe(), many);
    expect(made.ok || codeOf(made.fault)).toBe('resource/count-limit');
  });
});

describe('the digest that Authenticode signs', () => {
  test('leaves out check sum, the place of the signature, and the signature', () => {
    const file = smallPe();
    const digest = unwrap(authenticodeDigest(file));
    const summed = smallPe({ checksum: 0xabcd });
    expect(unwrap(authenticodeDigest(summed))).toEqual(digest);
    const signed = unwrap(withSignature(file, new Uint8Array(100).fill(9)));
    expect(signed.length).toBeGreaterThan(file.length);
    expect(unwrap(authenticodeDigest(signed))).toEqual(digest);
  });

  test('covers every other byte', () => {
    const file = smallPe();
    const digest = unwrap(authenticodeDigest(file));
    for (const at of [2, 0xac, 0x400, 0x5ff, 0x600, file.length - 1]) {
      const changed = file.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(unwrap(authenticodeDigest(changed)), `byte ${at}`).not.toEqual(digest);
    }
  });

  test('takes sections in the order of the file, and what is behind the last one', () => {
    const file = concat(smallPe(), new Uint8Array(16).fill(7));
    const checksum = 0x80 + 4 + 20 + 64;
    const directory = 0x80 + 4 + 20 + 112 + 32;
    const whole = concat(file.subarray(0, checksum), file.subarray(checksum + 4, directory), file.subarray(directory + 8));
    expect(Buffer.from(unwrap(authenticodeDigest(file)))).toEqual(createHash('sha256').update(whole).digest());
  });
});

test.each([
  ['nothing', new Uint8Array()],
  ['text', new Uint8Array(1000).fill(0x20)],
  ['a header that ends too early', smallPe().subarray(0, 0x90)],
  ['a section beyond the end', smallPe().subarray(0, 0x700)],
])('%s is no PE file', (_, file) => {
  const read = authenticodeDigest(file);
  expect(read.ok || codeOf(read.fault)).toBe('protocol/malformed');
});
