/**
 * The log of releases as its keeper has it: static files beside the repository, appended to and never rewritten. Its
 * tree comes out of its entries alone: whoever has them makes the same files again.
 */
import { equalBytes } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { consistencyProof, inclusionProof, rootOf } from '#hal/crypto/merkle';
import { encodeNote, readLines, type SignatureLine } from '#hal/crypto/signed-note';
import { type HybridSecretKey, hybridPublicKey } from '#hal/crypto/suites';
import type { StaticFiles } from '#ota-client/repository/files';
import { checkpointText, type LogCheckpoint, openLogCheckpoint, signCheckpoint } from './checkpoint.ts';
import { cosignedBy, type WitnessKey } from './cosignature.ts';
import { entryBytes, entryLeaf, type LogEntry, proofPath } from './entry.ts';
import { encodeProof } from './proof.ts';
import { bundleBytes, type Tile, tileBytes, tilePath, tilesOf, tileWidth } from './tiles.ts';
import { type LogTree, loadEntries, loadTree, maxLeaves, treeOf } from './tree.ts';
import { encodeRequest, type WitnessAnswer } from './witness-request.ts';

/** A witness and how it is reached. */
export interface AskedWitness extends WitnessKey {
  /** @param body of `add-checkpoint`. @returns the answer; or the fault of the way there */
  readonly ask: (body: Uint8Array) => Promise<Result<WitnessAnswer>>;
}

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
  const gathered = await gather(keeper, tree, checkpoint);
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
  readonly checkpoint: SignedCheckpoint;
}
interface SignedCheckpoint extends LogCheckpoint {
  readonly lines: readonly SignatureLine[];
}

const append = async (keeper: LogKeeper, before: LogTree, wanted: readonly LogEntry[]): Promise<Result<Grown>> => {
  const { crypto, files, origin, secret } = keeper;
  const byPath = new Map(wanted.map((entry) => [proofPath(entry), entry]));
  const fresh = [...byPath.values()].filter((entry) => indexOf(before, entry) < 0);
  const tree = treeOf([...before.leaves, ...fresh.map(entryLeaf)]);
  if (tree.size > maxLeaves) return deny('resource', 'count-limit', `${tree.size} leaves`);
  const said = { origin, size: tree.size, root: rootOf(tree.nodes, tree.size) };
  const checkpoint = { ...said, lines: signCheckpoint(crypto, said, secret) };
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
  const stored = await files.put(checkpointPath, encodeNote({ text: checkpointText(said), lines: checkpoint.lines }));
  return stored.ok ? ok({ tree, checkpoint }) : stored;
};

const indexOf = ({ leaves }: LogTree, entry: LogEntry): number => {
  const leaf = entryLeaf(entry);
  return leaves.findIndex((each) => equalBytes(each, leaf));
};

/** @returns the checkpoint with the cosignatures of all who gave one; or `integrity/witnesses-missing`, naming who did not */
const gather = async (keeper: LogKeeper, tree: LogTree, { lines, ...said }: SignedCheckpoint): Promise<Result<Uint8Array>> => {
  const { crypto, witnesses, threshold } = keeper;
  const text = checkpointText(said);
  const signed = encodeNote({ text, lines });
  const given: SignatureLine[] = [];
  const silent: string[] = [];
  for (const witness of witnesses) {
    const cosigned = await cosignatureOf(witness, tree, signed);
    const counts = cosigned.ok ? cosignedBy(crypto, { text, lines: cosigned.value }, witness) : cosigned;
    if (cosigned.ok && counts.ok && counts.value !== undefined) given.push(...cosigned.value);
    else silent.push(witness.name);
  }
  if (witnesses.length - silent.length < threshold)
    return deny(
      'integrity',
      'witnesses-missing',
      `${witnesses.length - silent.length} of ${threshold}, without ${silent.join(', ')}`,
    );
  return ok(encodeNote({ text, lines: [...lines, ...given] }));
};

/** A first question to learn what it cosigned last, and a second one from there. */
const cosignatureOf = async (
  { ask }: AskedWitness,
  tree: LogTree,
  checkpoint: Uint8Array,
): Promise<Result<readonly SignatureLine[]>> => {
  const askFrom = (oldSize: number) =>
    ask(encodeRequest({ oldSize, path: consistencyProof(tree.nodes, oldSize, tree.size), checkpoint }));
  let answered = await askFrom(0);
  if (answered.ok && answered.value.status === 409) {
    const oldSize = sizeOf(answered.value.body);
    if (oldSize > tree.size) return deny('integrity', 'log-rollback', `a witness saw ${oldSize}`);
    answered = await askFrom(oldSize);
  }
  if (!answered.ok) return answered;
  const { status, body } = answered.value;
  if (status !== 200) return deny('integrity', 'log-split', `a witness answered ${status}`);
  return readLines(text(body));
};

const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');

/** @returns the size; infinite where there is none, which no tree has */
const sizeOf = (body: Uint8Array): number => Number(/^(0|[1-9]\d{0,15})\n$/.exec(text(body))?.[1] ?? Number.POSITIVE_INFINITY);
