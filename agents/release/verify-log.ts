/**
 * The whole log of a repository, as whoever watches it reads it: every entry under the signed checkpoint, and which of them
 * nobody here can account for. Those are what a thief of keys would have had to leave.
 */
import { equalBytes, toHex } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { rootOf } from '#hal/crypto/merkle';
import { nodeCrypto } from '#hal/crypto/node';
import type { StaticFiles } from '#ota-client/repository/files';
import { openLogCheckpoint } from '#ota-client/transparency/checkpoint';
import { readEntry } from '#ota-client/transparency/entry';
import { checkpointPath } from '#ota-client/transparency/log';
import type { LogTrust } from '#ota-client/transparency/log-trust';
import { loadEntries, loadTree } from '#ota-client/transparency/tree';
import type { VerifiedRelease } from './verify.ts';

export interface VerifiedLog {
  readonly size: number;
  /** Digests of statements in it, in hexadecimal, of which the repository names no release: withdrawn ones, or nobody's. */
  readonly unaccounted: readonly string[];
}

/**
 * @param releases whose proofs must be of this tree when it was smaller
 * @returns the log; or `integrity/log-proof-missing` without one, `integrity/log-split` where files, proofs and checkpoint are
 *   not of one tree, and the faults of `openLogCheckpoint`
 */
export const verifyLog = async (
  files: Pick<StaticFiles, 'get'>,
  { origin, key }: LogTrust,
  releases: readonly VerifiedRelease[],
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
  const statements = entries.value.flatMap((bytes) => {
    const entry = readEntry(bytes);
    return entry?.kind === 'statement' ? [toHex(entry.digest)] : [];
  });
  return ok({ size: tree.value.size, unaccounted: statements.filter((digest) => !accounted.has(digest)) });
};
