/** TUF 1.0 §5.6.1 to §5.6.6: the targets metadata of one role, top-level or delegated, as the snapshot names it. */
import { deny, done, ok, type Result } from '#hal/core/result';
import { mostBytesOf } from './limits.ts';
import { type MetaFile, type Read, type Root, readTargets, type Snapshot, type Targets } from './metadata.ts';
import type { Authority } from './rule.ts';
import { checkContent, checkExpiry, checkSignatures, fetchFile, firstFault, recall, remember, type Session } from './session.ts';

/**
 * @param authority the keys that the delegating role gave to this one: a role reached by two ways is verified for each
 * @returns the trusted targets; or `integrity/metadata-mismatch`, `policy/metadata-expired`, and those of rule, reading and fetching
 */
export const roleTargets = async (
  session: Session,
  { consistent_snapshot }: Root,
  snapshot: Snapshot,
  authority: Authority,
): Promise<Result<Targets>> => {
  const { role } = authority;
  const named = snapshot.meta.get(`${role}.json`);
  if (named === undefined) return deny('integrity', 'metadata-mismatch', `${role}: not in the snapshot`);
  const name = `${encodeURIComponent(role)}.json`;
  const kept = recall(session, name);
  if (!kept.ok) return kept;
  const current = kept.value === undefined ? undefined : verified(session, authority, kept.value, named);
  if (current?.ok) return current;

  const file = consistent_snapshot === true ? `${named.version}.${name}` : name;
  const fetched = await fetchFile(session, file, mostBytesOf(named, 'targets'));
  if (!fetched.ok) return fetched;
  const targets = verified(session, authority, fetched.value, named);
  if (!targets.ok) return targets;
  const stored = remember(session, name, fetched.value);
  return stored.ok ? targets : stored;
};

/** §5.6.2 to §5.6.5, in their order. */
const verified = (session: Session, authority: Authority, bytes: Uint8Array, named: MetaFile): Result<Targets> => {
  const { role } = authority;
  const content = checkContent(session, role, bytes, named);
  if (!content.ok) return content;
  const read: Result<Read<Targets>> = readTargets(bytes, session.trust.schemes);
  if (!read.ok) return read;
  const targets = read.value.content;
  const checked = firstFault(
    () => checkSignatures(session, authority, read.value),
    () => (targets.version === named.version ? done : deny('integrity', 'metadata-mismatch', `${role}: version`)),
    () => checkExpiry(session, role, targets.expires),
  );
  return checked.ok ? ok(targets) : checked;
};
