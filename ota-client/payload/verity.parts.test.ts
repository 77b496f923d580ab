/** Our hash tree against `veritysetup format`: root, superblock and tree in the same bytes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { concat, fromHex, toHex } from '#hal/core/bytes';
import { seededRandom } from '#hal/memory/random';
import { blockBytes } from './limits.ts';
import { hashAreaBytes, type VerityParameters, veritySuperblock, verityTree } from './verity.ts';

const path = `${process.env['PATH']}:/usr/sbin:/sbin`;
const isMissing = spawnSync('veritysetup', ['--version'], { env: { PATH: path } }).error !== undefined;
const directory = mkdtempSync(join(tmpdir(), 'enigm-verity-'));
afterAll(() => rmSync(directory, { recursive: true }));

const seed = process.env['FUZZ_SEED'] ?? 'verity';
const random = seededRandom(seed);

/** Root and hash area, the image fed in pieces of `pieceBlocks`. */
const ours = (image: Uint8Array, parameters: VerityParameters, pieceBlocks: number) => {
  const tree = verityTree(parameters);
  const area = new Uint8Array(hashAreaBytes(image.length));
  area.set(veritySuperblock(parameters));
  const place = (blocks: ReturnType<typeof tree.update>) => {
    for (const { offsetBytes, bytes } of blocks) area.set(bytes, offsetBytes);
  };
  for (let offset = 0; offset < image.length; offset += pieceBlocks * blockBytes)
    place(tree.update(image.subarray(offset, offset + pieceBlocks * blockBytes)));
  const { blocks, root } = tree.finish();
  place(blocks);
  return { root: toHex(root), area };
};

const theirs = (image: Uint8Array, { salt, uuid }: VerityParameters) => {
  const file = join(directory, 'slot');
  writeFileSync(file, concat(image, new Uint8Array(hashAreaBytes(image.length))));
  const words = [
    ...['format', file, file, '--format=1', '--hash=sha256', '--data-block-size=4096', '--hash-block-size=4096'],
    ...[`--data-blocks=${image.length / blockBytes}`, `--hash-offset=${image.length}`, `--salt=${toHex(salt) || '-'}`],
    `--uuid=${toHex(uuid).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`,
  ];
  const { status, stdout, stderr } = spawnSync('veritysetup', words, { env: { PATH: path }, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return { root: /Root hash:\s+([0-9a-f]+)/.exec(stdout)?.[1], area: new Uint8Array(readFileSync(file)).subarray(image.length) };
};

describe.skipIf(isMissing)(`the hash tree equals that of veritysetup (FUZZ_SEED=${seed})`, () => {
  const number = (below: number) => new DataView(random.bytes(4).buffer).getUint32(0) % below;
  const sizes = [1, 2, 127, 128, 129, 255, 256, 16_384, 16_385, ...Array.from({ length: 8 }, () => 1 + number(3000))];

  test.each(sizes)('for %d blocks', (blocks) => {
    const image = fill(blocks);
    const salt = random.bytes([0, 32, 1, 256, 20][number(5)] ?? 32);
    const uuid = fromHex('8f1c2d3e4b5a4c7d9e0f112233445566') ?? new Uint8Array(16);
    const parameters = { imageBytes: image.length, salt, uuid };
    const expected = theirs(image, parameters);
    const made = ours(image, parameters, 1 + number(200));
    expect(made.root).toBe(expected.root);
    expect(Buffer.compare(made.area, expected.area)).toBe(0);
  });
});

/** An image whose every block differs. */
function fill(blocks: number): Uint8Array {
  const image = new Uint8Array(blocks * blockBytes);
  for (let block = 0; block < blocks; block += 1) image.set(random.bytes(32), block * blockBytes);
  return image;
}
