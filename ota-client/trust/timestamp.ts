/** TUF 1.0 §5.4: the newest timestamp, against rollback and freeze. */
import { deny, done, ok, type Result } from '#hal/core/result';
import { metadataBytes } from './limits.ts';
import { type Read, type Root, readTimestamp, type Timestamp } from './metadata.ts';
import { checkExpiry, checkSignatures, fetchFile, firstFault, recall, remember, type Session } from './session.ts';

const name = 'timestamp.json';

/** @returns the trusted timestamp; or `integrity/metadata-rollback`, `policy/metadata-expired`, and those of rule, reading and fetching */
export const newestTimestamp = async (session: Session, root: Root): Promise<Result<Timestamp>> => {
  const kept = keptTimestamp(session, root);
  if (!kept.ok) return kept;
  const fetched = await fetchFile(session, name, metadataBytes.timestamp);
  if (!fetched.ok) return fetched;
  const read = verified(session, root, fetched.value);
  if (!read.ok) return read;
  const next = read.value.content;
  // §5.4.3.1: an equal version is not news; the one that is trusted stays, and must still be fresh.
  const current = kept.value?.version === next.version ? kept.value : next;
  const checked = firstFault(
    () => checkRollback(kept.value, next),
    () => checkExpiry(session, 'timestamp', current.expires),
    () => (current === next ? remember(session, name, fetched.value) : done),
  );
  return checked.ok ? ok(current) : checked;
};

/**
 * The timestamp of the last update, if the keys of today's root still sign it; an expired one still bounds versions.
 * So it goes when its keys are rotated, which is the recovery from a fast-forward attack (§5.3.11).
 */
const keptTimestamp = (session: Session, root: Root): Result<Timestamp | undefined> => {
  const bytes = recall(session, name);
  if (!bytes.ok) return bytes;
  const read = bytes.value === undefined ? undefined : verified(session, root, bytes.value);
  return ok(read?.ok ? read.value.content : undefined);
};

/** §5.4.2. */
const verified = (session: Session, { roles, keys }: Root, bytes: Uint8Array): Result<Read<Timestamp>> => {
  const read = readTimestamp(bytes, session.trust.schemes);
  if (!read.ok) return read;
  const signed = checkSignatures(session, { role: 'timestamp', roleKeys: roles.timestamp, keys }, read.value);
  return signed.ok ? read : signed;
};

/** §5.4.3: neither its own version nor the snapshot's goes back. */
const checkRollback = (kept: Timestamp | undefined, next: Timestamp): Result<void> => {
  if (kept === undefined || kept.version === next.version) return done;
  const goesBack = next.version < kept.version || next.meta['snapshot.json'].version < kept.meta['snapshot.json'].version;
  return goesBack ? deny('integrity', 'metadata-rollback', 'timestamp') : done;
};
