/** What the list of a class names, and whether one that was signed names that still. */
import { equalBytes } from '#hal/core/bytes';
import { deny, done, type Result } from '#hal/core/result';
import { canonicalJson } from '#ota-client/trust/canonical';
import { isObject } from '#ota-client/trust/fields';
import { deviceSchemes } from '#ota-client/trust/keys';
import { readTargets, type TargetFile } from '#ota-client/trust/metadata';
import type { BundleClass } from '#ota-client/trust/release';
import type { TargetEntry } from './compose.ts';
import type { SignedRole } from './publish.ts';
import type { ReleaseRecord } from './release-record.ts';
import { isListed } from './release-table.ts';

/** What is published of a class. @param all in the order of their drafts */
export const publishedEntries = (all: readonly ReleaseRecord[], name: BundleClass): readonly TargetEntry[] =>
  entriesIn(all.filter((release) => release.class === name && isListed(release.state)));

/** The same with this release, or without it where it was revoked. */
export const classEntries = (all: readonly ReleaseRecord[], release: ReleaseRecord): readonly TargetEntry[] => {
  const others = all.filter((other) => other.class === release.class && other.id !== release.id && isListed(other.state));
  return entriesIn(release.state === 'revoked' ? others : [...others, release]);
};

/**
 * A list is signed days before it is public: what was revoked or halted in between must not come back with it.
 * @returns nothing; or `integrity/metadata-rollback` where the list names anything else, and the faults of `readTargets`
 */
export const checkNames = (
  { role, bytes }: Pick<SignedRole, 'role' | 'bytes'>,
  entries: readonly TargetEntry[],
): Result<void> => {
  const read = readTargets(bytes, deviceSchemes);
  if (!read.ok) return read;
  const { targets } = read.value.content;
  const extra = [...targets.keys()].find((path) => !entries.some((entry) => entry.path === path));
  if (extra !== undefined) return changed(`the signed list of ${role} names ${extra}, which it must not any more`);
  const other = entries.find((entry) => !isSame(entry, targets.get(entry.path)));
  return other === undefined ? done : changed(`the signed list of ${role} has no ${other.path}, or another one`);
};

const changed = (detail: string): Result<never> => deny('integrity', 'metadata-rollback', `${detail}: sign it again`);

const isSame = ({ length, sha256, custom }: TargetEntry, file: TargetFile | undefined): boolean =>
  file !== undefined &&
  file.length === length &&
  file.hashes.get('sha256') === sha256 &&
  isObject(file.custom) &&
  equalBytes(canonicalJson(file.custom), canonicalJson(custom));

/** By path, the later release winning: a repair release takes the place of the one before. */
const entriesIn = (named: readonly ReleaseRecord[]): readonly TargetEntry[] => [
  ...new Map(named.flatMap(({ entries }) => entries).map((entry) => [entry.path, entry])).values(),
];
