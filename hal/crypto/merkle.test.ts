import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHex, toHex, utf8 } from '#hal/core/bytes';
import {
  appendLeaf,
  consistencyProof,
  inclusionProof,
  leafHash,
  type NodeSource,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts';

const treeOf = (leaves: readonly Uint8Array[]): NodeSource => {
  const stored = new Map<string, Uint8Array>();
  const nodes: NodeSource = (level, index) => {
    const hash = stored.get(`${level}/${index}`);
    if (hash === undefined) throw new Error(`no node ${level}/${index}`);
    return hash;
  };
  for (const [index, leaf] of leaves.entries())
    for (const node of appendLeaf(nodes, index, leafHash(leaf))) stored.set(`${node.level}/${node.index}`, node.hash);
  return nodes;
};

// The eight leaves and roots that Certificate Transparency implementations share as their test tree.
const knownLeaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (hex) => fromHex(hex) as Uint8Array,
);
const knownRoots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('reaches the known roots of the Certificate Transparency test tree', () => {
  const nodes = treeOf(knownLeaves);
  expect(knownRoots.map((_, size) => toHex(rootOf(nodes, size)))).toEqual(knownRoots);
});

const sizes = fc.integer({ min: 1, max: 70 });
const leavesOf = (size: number) => Array.from({ length: size }, (_, index) => utf8(`leaf ${index}`));

test('proves every leaf of every tree, and no other leaf, place, size or root', () => {
  fc.assert(
    fc.property(sizes, fc.nat(), (size, pick) => {
      const index = pick % size;
      const leaves = leavesOf(size);
      const nodes = treeOf(leaves);
      const path = inclusionProof(nodes, index, size);
      const leaf = leafHash(leaves[index] as Uint8Array);
      const root = rootOf(nodes, size);
      expect(verifyInclusion(leaf, index, size, path, root)).toBe(true);
      expect(verifyInclusion(leafHash(utf8('another')), index, size, path, root)).toBe(false);
      expect(verifyInclusion(leaf, index, size, path, leafHash(root))).toBe(false);
      expect(verifyInclusion(leaf, size, size, path, root)).toBe(false);
      expect(verifyInclusion(leaf, index, size, [...path, root], root)).toBe(false);
      if (size > 1) expect(verifyInclusion(leaf, (index + 1) % size, size, path, root)).toBe(false);
      if (path.length > 0) expect(verifyInclusion(leaf, index, size, path.slice(1), root)).toBe(false);
    }),
  );
});

test.each([4, 5, 1_000, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('a tree of three leaves has no prefix of %d', (older) => {
  const nodes = treeOf(leavesOf(3));
  expect(() => consistencyProof(nodes, older, 3)).toThrow('a tree of 3 leaves has no prefix of');
});

test('proves that an older tree is a prefix, and refuses a rewritten one', () => {
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(), (newer, pick, victim) => {
      const older = pick % (newer + 1);
      const leaves = leavesOf(newer);
      const nodes = treeOf(leaves);
      const path = consistencyProof(nodes, older, newer);
      expect(verifyConsistency(older, newer, path, rootOf(nodes, older), rootOf(nodes, newer))).toBe(true);
      if (older === 0) return;
      const rewritten = treeOf(leaves.map((leaf, index) => (index === victim % older ? utf8('rewritten') : leaf)));
      expect(
        verifyConsistency(
          older,
          newer,
          consistencyProof(rewritten, older, newer),
          rootOf(nodes, older),
          rootOf(rewritten, newer),
        ),
      ).toBe(false);
      if (path.length > 0)
        expect(verifyConsistency(older, newer, path.slice(1), rootOf(nodes, older), rootOf(nodes, newer))).toBe(false);
    }),
  );
});
