import { expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { codeOf, unwrap } from '#hal/core/result';
import { memoryBlockDevice } from '#hal/memory/block-device';
import { blockBytes } from './limits.ts';
import { hashAreaBytes, veritySuperblock, verityTree } from './verity.ts';
import { readProved } from './verity-path.ts';

/** An image with its hash area behind it, and one more block that belongs to neither. */
const sealed = async (blocks: number) => {
  const image = new Uint8Array(blocks * blockBytes).map((_, at) => Math.floor(at / blockBytes) + at);
  const parameters = { imageBytes: image.length, salt: new Uint8Array(32).fill(7), uuid: new Uint8Array(16) };
  const tree = verityTree(parameters);
  const early = tree.update(image);
  const { blocks: late, root } = tree.finish();
  const device = memoryBlockDevice(image.length + hashAreaBytes(image.length) + blockBytes);
  unwrap(await device.write(0, concat(image, veritySuperblock(parameters))));
  for (const { offsetBytes, bytes } of [...early, ...late]) unwrap(await device.write(image.length + offsetBytes, bytes));
  return { image, device, root };
};

test.each([1, 2, 128, 129, 300])('proves the first and the last of %d blocks', async (blocks) => {
  const { image, device, root } = await sealed(blocks);
  for (const block of [0, blocks - 1]) {
    const read = unwrap(await readProved(device, image.length, root, block));
    expect(Buffer.compare(read, image.subarray(block * blockBytes, (block + 1) * blockBytes))).toBe(0);
  }
});

test.each<[string, (imageBytes: number) => number]>([
  ['the block', () => 200 * blockBytes],
  ['its leaf', (imageBytes) => imageBytes + 3 * blockBytes],
  ['the block at the top', (imageBytes) => imageBytes + blockBytes],
  ['the salt', (imageBytes) => imageBytes + 88],
])('refuses where %s is another one', async (_, at) => {
  const { image, device, root } = await sealed(300);
  const place = at(image.length) + 1;
  const [byte = 0] = unwrap(await device.read(place, 1));
  unwrap(await device.write(place, Uint8Array.of(byte ^ 1)));
  const read = await readProved(device, image.length, root, 200);
  expect(read.ok || codeOf(read.fault)).toBe('integrity/read-back-mismatch');
});

test('refuses under another root', async () => {
  const { image, device } = await sealed(3);
  const read = await readProved(device, image.length, new Uint8Array(32), 1);
  expect(read.ok || codeOf(read.fault)).toBe('integrity/read-back-mismatch');
});
