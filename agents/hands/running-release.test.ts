import { beforeAll, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { codeOf, deny, ok, unwrap } from '#hal/core/result';
import type { OpenedRoot } from '#hal/linux/machine-boot';
import { memoryBlockDevice, memorySlots } from '#hal/memory/block-device';
import { blockBytes } from '#ota-client/payload/limits';
import { hashAreaBytes, veritySuperblock, verityTree } from '#ota-client/payload/verity';
import { emptyEntry, type Ledger, type ReleaseFacts } from '#ota-client/slots/ledger';
import { runningRelease } from './running-release.ts';

const withTree = (image: Uint8Array) => {
  const parameters = { imageBytes: image.length, salt: new Uint8Array(32).fill(3), uuid: new Uint8Array(16) };
  const tree = verityTree(parameters);
  const area = new Uint8Array(hashAreaBytes(image.length));
  area.set(veritySuperblock(parameters));
  const early = tree.update(image);
  const { blocks, root } = tree.finish();
  for (const { offsetBytes, bytes } of [...early, ...blocks]) area.set(bytes, offsetBytes);
  return { whole: concat(image, area), root };
};

const rootBlocks = 200;
const rootOffsetBytes = 5 * blockBytes;
const rootTree = withTree(new Uint8Array(rootBlocks * blockBytes).map((_, at) => at));
const image = concat(new Uint8Array(rootOffsetBytes).fill(1), rootTree.whole);
const release: ReleaseFacts = {
  ...{ digest: new Uint8Array(32), counter: 1, floorEpoch: 0 },
  ...{ imageBytes: image.length, verityRoot: withTree(image).root },
};
const media = { a: memoryBlockDevice(4 << 20), b: memoryBlockDevice(4 << 20) };
beforeAll(async () => {
  unwrap(await media.a.write(0, withTree(image).whole));
});

const ledgerWith = (kept: ReleaseFacts | undefined) => ({
  read: async () =>
    ok<Ledger>({ a: kept === undefined ? emptyEntry : { ...emptyEntry, content: 'verified', release: kept }, b: emptyEntry }),
});
const opened: OpenedRoot = { slot: 'a', verityRoot: rootTree.root, blocks: rootBlocks };
const measured = async (kept: ReleaseFacts | undefined, root = opened) =>
  unwrap(await runningRelease({ slots: memorySlots(media), ledger: ledgerWith(kept), rootOffsetBytes }, root)).verityRoot;

test('a root file system whose own tree lies in the image of the release is of that release', async () => {
  expect(await measured(release)).toEqual(release.verityRoot);
});

test.each<[string, ReleaseFacts | undefined, Partial<OpenedRoot>]>([
  ['no release', undefined, {}],
  ['a release with another tree', { ...release, verityRoot: new Uint8Array(32) }, {}],
  ['a tree that lies elsewhere', release, { blocks: rootBlocks - 1 }],
])('one that was opened under %s is of none, and is told by its own root', async (_, kept, change) => {
  expect(await measured(kept, { ...opened, ...change })).toEqual(rootTree.root);
});

test('one that was opened under another root is of none', async () => {
  const verityRoot = new Uint8Array(32).fill(9);
  expect(await measured(release, { ...opened, verityRoot })).toEqual(verityRoot);
});

test('a ledger that cannot be read leaves it unknown', async () => {
  const ledger = { read: async () => deny('unavailable', 'storage-failed') };
  const said = await runningRelease({ slots: memorySlots(media), ledger, rootOffsetBytes }, opened);
  expect(said.ok || codeOf(said.fault)).toBe('unavailable/storage-failed');
});
