/**
 * The whole log of a repository, as whoever watches it reads it: every entry under the signed checkpoint, and which of them
 * nobody here can account for. Those are what a thief of keys would have had to leave.
 */
import { equalBytes, toHex } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { rootOf } from '#hal/crypto/merkle';
import { nodeCrypto } from '#hal/crypto/node';
import { metadataPath, type StaticFiles } from '#ota-client/repository/files';
import { openLogCheckpoint } from '#ota-client/transparency/checkpoint';
import { type EntryKind, readEntry } from '#ota-client/transparency/entry';
import { checkpointPath } from '#ota-client/transparency/log';
import type { LogTrust } from '#ota-client/transparency/log-trust';
import { loadEntries, loadTree } from '#ota-client/transparency/tree';
import type { VerifiedRepository } from './verify.ts';

export interface VerifiedLog {
  readonly size: number;
  /** Digests of statements in it, in hexadecimal, of which the repository names no release: withdrawn ones, or nobody's. */
  readonly unaccounted: readonly string[];
  /** Digests of lists in it, in hexadecimal, that the repository has in no version: never public here, or nobody's. */
  readonly unaccountedLists: readonly string[];
  /** Places of what is no entry of ours at all. */
  readonly unknownEntries: readonly number[];
}

/** So many versions of each list are looked at, from the newest down. */
const maxListVersions = 4096;

/**
 * @param releases whose proofs must be of this tree when it was smaller
 * @param listVersions the newest of each list
 * @returns the log; or `integrity/log-proof-missing` without one, `integrity/log-split` where files, proofs and checkpoint are
 *   not of one tree, and the faults of `openLogCheckpoint`
 */
export const verifyLog = async (
  files: Pick<StaticFiles, 'get'>,
  { origin, key }: LogTrust,
  { releases, listVersions }: Pick<VerifiedRepository, 'releases' | 'listVersions'>,
): Promise<Result<VerifiedLog>> => {
  const bytes = await files.get(checkpointPath);
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return deny('integrity', 'log-proof-missing', checkpointPath);
  const opened = openLogCheckpoint(nodeCrypto, bytes.value, origin, key);
  if (!opened.ok) return opened;
  const tree = await loadTree(files, opened.value.checkpoint);
  if (!tree.ok) return tree;
  const entries = await loadEntries(files, tree.value);
  if (!entries.ok) return entries;
  for (const { path, log } of releases)
    if (log !== undefined && (log.size > tree.value.size || !equalBytes(rootOf(tree.value.nodes, log.size), log.root)))
      return deny('integrity', 'log-split', `the proof of ${path} is of another tree`);
  const accounted = new Set(releases.map(({ statement }) => toHex(statement.release.digest)));
  const lists = await listDigests(files, listVersions);
  if (!lists.ok) return lists;
  const read = entries.value.map(readEntry);
  const unaccountedOf = (kind: EntryKind, known: ReadonlySet<string>): readonly string[] =>
    read.flatMap((entry) => (entry?.kind === kind && !known.has(toHex(entry.digest)) ? [toHex(entry.digest)] : []));
  return ok({
    size: tree.value.size,
    unaccounted: unaccountedOf('statement', accounted),
    unaccountedLists: unaccountedOf('targets', lists.value),
    unknownEntries: read.flatMap((entry, at) => (entry === undefined ? [at] : [])),
  });
};

/** Older versions stay in a repository; what a tidy one left out is accounted for by nothing. */
const listDigests = async (
  files: Pick<StaticFiles, 'get'>,
  listVersions: VerifiedRepository['listVersions'],
): Promise<Result<ReadonlySet<string>>> => {
  const digests = new Set<string>();
  for (const [name, newest] of listVersions)
    for (let version = newest; version > Math.max(0, newest - maxListVersions); version -= 1) {
      const bytes = await files.get(metadataPath(`${version}.${name}.json`));
      if (!bytes.ok) return bytes;
      if (bytes.value !== undefined) digests.add(toHex(nodeCrypto.hash('sha256', bytes.value)));
    }
  return ok(digests);
};
