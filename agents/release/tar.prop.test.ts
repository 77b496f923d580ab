import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { blockBytes, encodeTarHeader, isArchivePath, maxEntryBytes, paddingBytes, readTarHeader } from './tar.ts';

const name = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,60}$/).filter((part) => part !== '.' && part !== '..');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

describe('a header of an archive', () => {
  test('is read as it was written, in one block', () => {
    fc.assert(
      fc.property(path, fc.nat(maxEntryBytes), (where, lengthBytes) => {
        const block = unwrap(encodeTarHeader({ path: where, lengthBytes }));
        expect(block).toHaveLength(blockBytes);
        expect(unwrap(readTarHeader(block))).toEqual({ path: where, lengthBytes });
      }),
    );
  });

  test('with one byte changed is refused; nothing crashes', () => {
    const block = unwrap(encodeTarHeader({ path: 'targets/os/release-2', lengthBytes: 1234 }));
    fc.assert(
      fc.property(fc.nat(blockBytes - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const read = readTarHeader(block.with(at, (block[at] ?? 0) ^ change));
        // The sum may be written in more than one way.
        if (read.ok) expect(read.value).toEqual({ path: 'targets/os/release-2', lengthBytes: 1234 });
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: blockBytes, maxLength: blockBytes }), (bytes) => {
        expect(readTarHeader(bytes).ok).toBe(bytes.every((byte) => byte === 0));
      }),
    );
  });

  test.each(['/etc/passwd', '../up', 'a/../b', 'a//b', 'a/', '', 'a b', 'ä', 'a'.repeat(256)])('has no path %j', (where) => {
    expect(isArchivePath(where)).toBe(false);
    expect(encodeTarHeader({ path: where, lengthBytes: 1 }).ok).toBe(false);
  });

  test('has limits', () => {
    expect(encodeTarHeader({ path: 'a', lengthBytes: maxEntryBytes + 1 }).ok).toBe(false);
    expect(encodeTarHeader({ path: 'a'.repeat(101), lengthBytes: 1 }).ok).toBe(false);
    expect(encodeTarHeader({ path: `${'a'.repeat(100)}/${'b'.repeat(100)}`, lengthBytes: 1 }).ok).toBe(true);
    expect(readTarHeader(new Uint8Array(blockBytes - 1)).ok).toBe(false);
    expect([0, 1, 511, 512, 513].map(paddingBytes)).toEqual([0, 511, 1, 0, 511]);
  });
});
