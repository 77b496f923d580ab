/** The tree of a log out of its static files, held against the checkpoint that the log itself signed. */
import { equalBytes } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { appendLeaf, leafHash, type NodeSource, rootOf } from '#hal/crypto/merkle';
import type { StaticFiles } from '#ota-client/repository/files';
import type { LogHead } from './checkpoint.ts';
import { readBundle, readTile, type Tile, tilePath, tilesOf } from './tiles.ts';

/** Leaves of the largest tree: full tiles of two levels. A release takes two of them. */
export const maxLeaves = 65_536;

export interface LogTree {
  readonly size: number;
  readonly nodes: NodeSource;
  readonly leaves: readonly Uint8Array[];
}

/** @param leaves hashes of all leaves, in order */
export const treeOf = (leaves: readonly Uint8Array[]): LogTree => {
  const stored = new Map<string, Uint8Array>();
  const nodes: NodeSource = (level, index) => {
    const hash = stored.get(`${level}/${index}`);
    if (hash === undefined) throw new Error(`no node ${level}/${index}`);
    return hash;
  };
  for (const [at, leaf] of leaves.entries())
    for (const { level, index, hash } of appendLeaf(nodes, at, leaf)) stored.set(`${level}/${index}`, hash);
  return { size: leaves.length, nodes, leaves };
};

/** @returns the tree; or `integrity/log-split` where the files are of another one than the checkpoint, and the faults of `files` */
export const loadTree = async (files: Pick<StaticFiles, 'get'>, { size, root }: LogHead): Promise<Result<LogTree>> => {
  if (size > maxLeaves) return deny('resource', 'count-limit', `${size} leaves`);
  const leaves: Uint8Array[] = [];
  for (const tile of tilesOf(0, size)) {
    const bytes = await readFile(files, tile);
    if (!bytes.ok) return bytes;
    const hashes = readTile(bytes.value, tile.width);
    if (!hashes.ok) return hashes;
    leaves.push(...hashes.value);
  }
  const tree = treeOf(leaves);
  return equalBytes(rootOf(tree.nodes, size), root)
    ? ok(tree)
    : deny('integrity', 'log-split', 'tiles are not of the checkpoint');
};

/** All entries, each held against its leaf: what a monitor reads. @returns them; or `integrity/log-split`, and the faults of `files` */
export const loadEntries = async (files: Pick<StaticFiles, 'get'>, tree: LogTree): Promise<Result<readonly Uint8Array[]>> => {
  const entries: Uint8Array[] = [];
  for (const tile of tilesOf('entries', tree.size)) {
    const bytes = await readFile(files, tile);
    if (!bytes.ok) return bytes;
    const bundle = readBundle(bytes.value, tile.width);
    if (!bundle.ok) return bundle;
    entries.push(...bundle.value);
  }
  const wrong = entries.findIndex((entry, at) => !equalBytes(leafHash(entry), tree.leaves[at] ?? new Uint8Array()));
  return wrong < 0 ? ok(entries) : deny('integrity', 'log-split', `entry ${wrong} is not its leaf`);
};

const readFile = async (files: Pick<StaticFiles, 'get'>, tile: Tile): Promise<Result<Uint8Array>> => {
  const path = tilePath(tile);
  const bytes = await files.get(path);
  if (!bytes.ok) return bytes;
  return bytes.value === undefined ? deny('unavailable', 'not-found', path) : ok(bytes.value);
};
