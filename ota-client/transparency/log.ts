/**
 * The log of releases as its keeper has it: static files beside the repository, appended to and never rewritten. Its
 * tree comes out of its entries alone: whoever has them makes the same files again.
 */
import { equalBytes } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { inclusionProof, rootOf } from '#hal/crypto/merkle';
import { encodeNote, type SignedNote } from '#hal/crypto/signed-note';
import { type HybridSecretKey, hybridPublicKey } from '#hal/crypto/suites';
import type { StaticFiles } from '#ota-client/repository/files';
import { checkpointText, openLogCheckpoint, signCheckpoint } from './checkpoint.ts';
import { entryBytes, entryLeaf, type LogEntry, proofPath } from './entry.ts';
import { type AskedWitness, gatherCosignatures } from './gather.ts';
import { encodeProof } from './proof.ts';
import { bundleBytes, type Tile, tileBytes, tilePath, tilesOf, tileWidth } from './tiles.ts';
import { type LogTree, loadEntries, loadTree, maxLeaves, treeOf } from './tree.ts';

export interface LogKeeper {
  readonly crypto: CryptoBackend;
  readonly files: StaticFiles;
  readonly origin: string;
  readonly secret: HybridSecretKey;
  readonly witnesses: readonly AskedWitness[];
  /** Cosignatures without which nothing is proved. */
  readonly threshold: number;
}

export const checkpointPath = 'log/checkpoint';

/**
 * Enter what is not in the log yet, have the tree cosigned, and staple a proof to each of `live` at that tree. May be
 * called again after a cut: what is entered is entered once.
 *
 * The checkpoint is durable before any witness sees it, so that a keeper that was cut cannot sign another tree of that size.
 * @param live what devices may be shown from now on; proofs of others stay as they are, at older trees
 * @returns nothing; or `integrity/witnesses-missing`, `integrity/log-split`, `resource/count-limit`, and the faults of `files`
 */
export const recordEntries = async (
  keeper: LogKeeper,
  fresh: readonly LogEntry[],
  live: readonly LogEntry[],
): Promise<Result<void>> => {
  const before = await readTree(keeper);
  if (!before.ok) return before;
  const grown = await append(keeper, before.value, fresh);
  if (!grown.ok) return grown;
  const { tree, checkpoint } = grown.value;
  const { crypto, witnesses, threshold } = keeper;
  const gathered = await gatherCosignatures({ crypto, witnesses, threshold }, tree, checkpoint);
  if (!gathered.ok) return gathered;
  const published = await keeper.files.put(checkpointPath, gathered.value);
  if (!published.ok) return published;
  for (const entry of [...fresh, ...live]) {
    const index = indexOf(tree, entry);
    if (index < 0) continue;
    const proof = encodeProof({ index, path: inclusionProof(tree.nodes, index, tree.size), checkpoint: gathered.value });
    const stapled = await keeper.files.put(proofPath(entry), proof);
    if (!stapled.ok) return stapled;
  }
  return done;
};

/** @returns the tree that the keeper signed last; or the faults of `openLogCheckpoint` and of `loadTree` */
const readTree = async ({ crypto, files, origin, secret }: LogKeeper): Promise<Result<LogTree>> => {
  const bytes = await files.get(checkpointPath);
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return ok(treeOf([]));
  const opened = openLogCheckpoint(crypto, bytes.value, origin, hybridPublicKey(crypto, secret));
  return opened.ok ? loadTree(files, opened.value.checkpoint) : opened;
};

interface Grown {
  readonly tree: LogTree;
  /** Signed by the log alone. */
  readonly checkpoint: SignedNote;
}

const append = async (keeper: LogKeeper, before: LogTree, wanted: readonly LogEntry[]): Promise<Result<Grown>> => {
  const { crypto, files, origin, secret } = keeper;
  const byPath = new Map(wanted.map((entry) => [proofPath(entry), entry]));
  const fresh = [...byPath.values()].filter((entry) => indexOf(before, entry) < 0);
  const tree = treeOf([...before.leaves, ...fresh.map(entryLeaf)]);
  if (tree.size > maxLeaves) return deny('resource', 'count-limit', `${tree.size} leaves`);
  const said = { origin, size: tree.size, root: rootOf(tree.nodes, tree.size) };
  const checkpoint = { text: checkpointText(said), lines: signCheckpoint(crypto, said, secret) };
  if (fresh.length === 0) return ok({ tree, checkpoint });
  const known = await loadEntries(files, before);
  if (!known.ok) return known;
  const entries = [...known.value, ...fresh.map(entryBytes)];
  const bytesOf = (tile: Tile): Uint8Array =>
    tile.level === 'entries'
      ? bundleBytes(entries.slice(tile.index * tileWidth, tile.index * tileWidth + tile.width))
      : tileBytes(tree.nodes, { ...tile, level: tile.level });
  for (const tile of (['entries', 0, 1, 2] as const).flatMap((level) => tilesOf(level, tree.size, before.size))) {
    const stored = await files.put(tilePath(tile), bytesOf(tile));
    if (!stored.ok) return stored;
  }
  const stored = await files.put(checkpointPath, encodeNote(checkpoint));
  return stored.ok ? ok({ tree, checkpoint }) : stored;
};

const indexOf = ({ leaves }: LogTree, entry: LogEntry): number => {
  const leaf = entryLeaf(entry);
  return leaves.findIndex((each) => equalBytes(each, leaf));
};
