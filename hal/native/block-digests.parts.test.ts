/** Leaves of a hash tree by the addon, against one call of node:crypto for each. */
import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { pageMemory } from '#hal/core/page-memory';
import { unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { nativeBlockDigests } from './block-digests.ts';
import { addonPaths, buildAddons } from './testing.ts';

const missing = buildAddons();
const blockBytes = 4096;
const seed = process.env['FUZZ_SEED'] ?? 'block digests';

describe.skipIf(missing !== undefined).each(['release', 'sim'] as const)(`the %s build ${missing ?? ''}`, (build) => {
  const digestsFor = (salt: Uint8Array) => unwrap(nativeBlockDigests(addonPaths[build], build))(salt);

  test(`gives the digest of each block behind its salt (FUZZ_SEED=${seed})`, () => {
    const random = seededRandom(seed);
    for (const [blocks, saltBytes] of [
      [0, 32],
      [1, 0],
      [3, 32],
      [64, 256],
      [257, 1],
    ] as const) {
      const salt = random.bytes(saltBytes);
      const bytes = random.bytes(blocks * blockBytes);
      const wanted = Array.from({ length: blocks }, (_, block) =>
        hash('sha256', concat(salt, bytes.subarray(block * blockBytes, (block + 1) * blockBytes)), 'buffer'),
      );
      const inPages = pageMemory(bytes.length);
      inPages.set(bytes);
      for (const given of [bytes, inPages]) expect(Buffer.compare(digestsFor(salt)(given), concat(...wanted))).toBe(0);
    }
  });

  test('refuses part of a block, a longer salt, and more than a call may take', () => {
    const digests = digestsFor(new Uint8Array(32));
    expect(() => digests(new Uint8Array(blockBytes + 1))).toThrow(/whole blocks/);
    expect(() => digests(new Uint8Array(16 * 1024 * 1024 + blockBytes))).toThrow(/whole blocks/);
    expect(() => digestsFor(new Uint8Array(257))(new Uint8Array(blockBytes))).toThrow(/salt/);
    expect(() => digests('text' as never)).toThrow(TypeError);
  });
});

test('an addon that is not there is refused', () => {
  expect(nativeBlockDigests('/nowhere', 'release')).toMatchObject({ ok: false, fault: { reason: 'tpm-missing' } });
});
