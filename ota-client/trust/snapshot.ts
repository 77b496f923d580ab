/** TUF 1.0 §5.5: the snapshot that the timestamp names, against mix-and-match, rollback and freeze. */
import { deny, done, ok, type Result } from '#hal/core/result';
import { mostBytesOf } from './limits.ts';
import { type MetaFile, type Read, type Root, readSnapshot, type Snapshot, type Timestamp } from './metadata.ts';
import { checkContent, checkExpiry, checkSignatures, fetchFile, firstFault, recall, remember, type Session } from './session.ts';

const name = 'snapshot.json';

/**
 * @returns the trusted snapshot; or `integrity/metadata-mismatch`, `integrity/metadata-rollback`,
 * `policy/metadata-expired`, and those of rule, reading and fetching
 */
export const namedSnapshot = async (session: Session, root: Root, timestamp: Timestamp): Promise<Result<Snapshot>> => {
  const named = timestamp.meta['snapshot.json'];
  const kept = keptSnapshot(session, root);
  if (!kept.ok) return kept;
  if (kept.value !== undefined && checkFinal(session, kept.value, named).ok) return ok(kept.value.content);

  const file = root.consistent_snapshot === true ? `${named.version}.${name}` : name;
  const fetched = await fetchFile(session, file, mostBytesOf(named, 'snapshot'));
  if (!fetched.ok) return fetched;
  const content = checkContent(session, 'snapshot', fetched.value, named);
  if (!content.ok) return content;
  const read = verified(session, root, fetched.value);
  if (!read.ok) return read;
  const checked = firstFault(
    () => checkRollback(kept.value?.content, read.value.content),
    () => checkFinal(session, read.value, named),
    () => remember(session, name, fetched.value),
  );
  return checked.ok ? ok(read.value.content) : checked;
};

type KeptSnapshot = Read<Snapshot> & { readonly bytes: Uint8Array };

/** As with the timestamp: verified again with today's keys, so that a rotation of them forgets it (§5.3.11). */
const keptSnapshot = (session: Session, root: Root): Result<KeptSnapshot | undefined> => {
  const bytes = recall(session, name);
  if (!bytes.ok) return bytes;
  const read = bytes.value === undefined ? undefined : verified(session, root, bytes.value);
  return ok(read?.ok && bytes.value !== undefined ? { ...read.value, bytes: bytes.value } : undefined);
};

/** §5.5.3. */
const verified = (session: Session, { roles, keys }: Root, bytes: Uint8Array): Result<Read<Snapshot>> => {
  const read = readSnapshot(bytes, session.trust.schemes);
  if (!read.ok) return read;
  const signed = checkSignatures(session, { role: 'snapshot', roleKeys: roles.snapshot, keys }, read.value);
  return signed.ok ? read : signed;
};

/** §5.5.4 and §5.5.6; a kept snapshot must also be the very file that the timestamp names. */
const checkFinal = (session: Session, snapshot: Read<Snapshot> | KeptSnapshot, named: MetaFile): Result<void> =>
  firstFault(
    () => ('bytes' in snapshot ? checkContent(session, 'snapshot', snapshot.bytes, named) : done),
    () => (snapshot.content.version === named.version ? done : deny('integrity', 'metadata-mismatch', 'snapshot: version')),
    () => checkExpiry(session, 'snapshot', snapshot.content.expires),
  );

/** §5.5.5: no file goes back, and none that was listed goes away. */
const checkRollback = (kept: Snapshot | undefined, next: Snapshot): Result<void> => {
  for (const [file, { version }] of kept?.meta ?? [])
    if ((next.meta.get(file)?.version ?? 0) < version) return deny('integrity', 'metadata-rollback', `snapshot: ${file}`);
  return done;
};
