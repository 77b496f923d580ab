/** TUF 1.0 §5.7: the file of a target, by its name in the repository, checked against its metadata. */
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { matchesHashes } from './content.ts';
import type { TargetFile } from './metadata.ts';
import type { Repository } from './refresh.ts';
import type { FoundTarget } from './search.ts';

/** §5.7.3 and §6.2: with consistent snapshots the base name carries a hash; any of those listed will do. */
export const targetFileName = ({ root }: Repository, { path, file }: FoundTarget): string => {
  if (root.consistent_snapshot !== true) return path;
  const hash = file.hashes.get('sha256') ?? file.hashes.get('sha512') ?? file.hashes.get('sha384') ?? '';
  const slash = path.lastIndexOf('/') + 1;
  return `${path.slice(0, slash)}${hash}.${path.slice(slash)}`;
};

/** @returns `bytes`, or `integrity/target-mismatch`; large targets are checked piece by piece by `payload` instead */
export const checkTargetFile = (crypto: CryptoBackend, file: TargetFile, bytes: Uint8Array): Result<Uint8Array> => {
  if (bytes.length !== file.length) return deny('integrity', 'target-mismatch', 'length');
  return matchesHashes(crypto, bytes, file.hashes) ? ok(bytes) : deny('integrity', 'target-mismatch', 'hash');
};
