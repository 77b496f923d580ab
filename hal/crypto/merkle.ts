/**
 * The Merkle tree of RFC 6962 §2.1 (hash prefixes 0x00 for leaves, 0x01 for nodes), SHA-256.
 *
 * A full subtree never changes, so its root is stored once, at (level, index); every root and proof is then a few
 * look-ups. `NodeSource` is that store.
 */
import { createHash } from 'node:crypto';
import { equalBytes } from '#hal/core/bytes';

/** Root of the full subtree that covers leaves [index·2^level, (index+1)·2^level). */
export type NodeSource = (level: number, index: number) => Uint8Array;

export interface TreeNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

/** Largest tree that a proof is read for: 2^48 leaves. */
export const maxProofLength = 64;

export const leafHash = (leaf: Uint8Array): Uint8Array => createHash('sha256').update(leafPrefix).update(leaf).digest();
const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  createHash('sha256').update(nodePrefix).update(left).update(right).digest();
const leafPrefix = new Uint8Array([0]);
const nodePrefix = new Uint8Array([1]);

/** The nodes that the leaf at `index` completes, the leaf itself first. */
export const appendLeaf = (nodes: NodeSource, index: number, leaf: Uint8Array): readonly TreeNode[] => {
  const added: TreeNode[] = [{ level: 0, index, hash: leaf }];
  let hash = leaf;
  for (let level = 0, at = index; at % 2 === 1; level += 1, at = (at - 1) / 2) {
    hash = nodeHash(nodes(level, at - 1), hash);
    added.push({ level: level + 1, index: (at - 1) / 2, hash });
  }
  return added;
};

/** Root over the first `size` leaves; of no leaf it is the hash of nothing. */
export const rootOf = (nodes: NodeSource, size: number): Uint8Array =>
  size === 0 ? createHash('sha256').digest() : rangeHash(nodes, 0, size);

/** Hash over leaves [start, start+count); `start` is a multiple of the largest power of two below 2·count. */
const rangeHash = (nodes: NodeSource, start: number, count: number): Uint8Array => {
  const level = Math.log2(count);
  if (Number.isInteger(level)) return nodes(level, start / count);
  const left = splitOf(count);
  return nodeHash(rangeHash(nodes, start, left), rangeHash(nodes, start + left, count - left));
};

/** Largest power of two smaller than `count`. */
const splitOf = (count: number): number => 2 ** Math.floor(Math.log2(count - 1));

/** RFC 6962 §2.1.1, leaf first. */
export const inclusionProof = (nodes: NodeSource, index: number, size: number): Uint8Array[] => {
  const path: Uint8Array[] = [];
  let start = 0;
  let count = size;
  while (count > 1) {
    const left = splitOf(count);
    if (index - start < left) {
      path.push(rangeHash(nodes, start + left, count - left));
      count = left;
    } else {
      path.push(rangeHash(nodes, start, left));
      start += left;
      count -= left;
    }
  }
  return path.reverse();
};

/** RFC 9162 §2.1.3.2. */
export const verifyInclusion = (
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean => {
  if (index >= size || path.length > maxProofLength) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else hash = nodeHash(hash, sibling);
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equalBytes(hash, root);
};

/**
 * RFC 6962 §2.1.2: that the tree of `older` leaves is a prefix of the tree of `newer`.
 * @throws where there is no such prefix: a size that somebody else named is compared first
 */
export const consistencyProof = (nodes: NodeSource, older: number, newer: number): Uint8Array[] => {
  if (!Number.isSafeInteger(older) || older < 0 || older > newer)
    throw new RangeError(`a tree of ${newer} leaves has no prefix of ${older}`);
  if (older === 0 || older === newer) return [];
  const path: Uint8Array[] = [];
  const walk = (start: number, wanted: number, count: number, isWhole: boolean): void => {
    if (wanted === count) {
      if (!isWhole) path.push(rangeHash(nodes, start, count));
      return;
    }
    const left = splitOf(count);
    if (wanted <= left) {
      walk(start, wanted, left, isWhole);
      path.push(rangeHash(nodes, start + left, count - left));
    } else {
      walk(start + left, wanted - left, count - left, false);
      path.push(rangeHash(nodes, start, left));
    }
  };
  walk(0, older, newer, true);
  return path;
};

/** RFC 9162 §2.1.4.2. */
export const verifyConsistency = (
  older: number,
  newer: number,
  path: readonly Uint8Array[],
  olderRoot: Uint8Array,
  newerRoot: Uint8Array,
): boolean => {
  if (older > newer || path.length > maxProofLength) return false;
  if (older === newer) return path.length === 0 && equalBytes(olderRoot, newerRoot);
  if (older === 0) return path.length === 0;
  const [first, ...rest] = Number.isInteger(Math.log2(older)) ? [olderRoot, ...path] : path;
  if (first === undefined) return false;
  let node = older - 1;
  let last = newer - 1;
  while (node % 2 === 1) {
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  let olderHash = first;
  let newerHash = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      olderHash = nodeHash(sibling, olderHash);
      newerHash = nodeHash(sibling, newerHash);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else newerHash = nodeHash(newerHash, sibling);
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equalBytes(olderHash, olderRoot) && equalBytes(newerHash, newerRoot);
};
