/** TUF 1.0 §5.2 and §5.3: from the root in the image to the newest one, one version at a time. */
import { deny, ok, type Result } from '#hal/core/result';
import { maxRootsPerRefresh, metadataBytes } from './limits.ts';
import { type Read, type Root, readRoot } from './metadata.ts';
import { checkExpiry, checkSignatures, fetchFile, firstFault, keptRoot, recall, remember, type Session } from './session.ts';

/**
 * @returns the newest root, not expired; what was verified on the way is kept also when the update ends with a fault:
 * `policy/metadata-expired`, `integrity/metadata-rollback`, `resource/count-limit` with more roots than one refresh
 * takes, those of the signature rule and of reading, and the fetcher's
 */
export const newestRoot = async (session: Session): Promise<Result<Root>> => {
  const pinned = pinnedRoot(session);
  if (!pinned.ok) return pinned;
  const kept = followKept(session, pinned.value);
  if (!kept.ok) return kept;
  const newest = await followFetched(session, kept.value);
  if (!newest.ok) return newest;
  const fresh = checkExpiry(session, 'root', newest.value.expires);
  return fresh.ok ? newest : fresh;
};

/** §5.2: its own expiry does not matter, its signatures do. */
const pinnedRoot = (session: Session): Result<Root> => {
  const { rule, schemes, pinnedRoot: bytes } = session.trust;
  const read = readRoot(bytes, schemes);
  if (!read.ok) return read;
  const checked = firstFault(
    () => rule.checkRoot(read.value.content),
    () => checkSignatures(session, rootAuthority(read.value.content), read.value),
  );
  return checked.ok ? ok(read.value.content) : checked;
};

/**
 * Roots of earlier updates, verified again: the store is no authority. One that does not verify ends the row. There is
 * no limit here, which would end all updates: the row is as long as the custodians of root made it.
 */
const followKept = (session: Session, pinned: Root): Result<Root> => {
  let root = pinned;
  for (;;) {
    const bytes = recall(session, keptRoot(root.version + 1));
    if (!bytes.ok) return bytes;
    const next = bytes.value === undefined ? undefined : successor(session, root, bytes.value);
    if (!next?.ok) return ok(root);
    root = next.value;
  }
};

/** §5.3.2 to §5.3.9. */
const followFetched = async (session: Session, kept: Root): Promise<Result<Root>> => {
  let root = kept;
  for (let count = 0; ; count++) {
    const version = root.version + 1;
    const bytes = await fetchFile(session, `${version}.root.json`, metadataBytes.root);
    if (!bytes.ok) return bytes.fault.reason === 'not-found' ? ok(root) : bytes;
    if (count === maxRootsPerRefresh) return deny('resource', 'count-limit', `more than ${count} new roots`);
    const next = successor(session, root, bytes.value);
    if (!next.ok) return next;
    const stored = remember(session, keptRoot(version), bytes.value);
    if (!stored.ok) return stored;
    root = next.value;
  }
};

/** §5.3.4: signed by the rule of N with the keys of N, and by the rule of N+1 with its own; §5.3.5: exactly N+1. */
const successor = (session: Session, current: Root, bytes: Uint8Array): Result<Root> => {
  const read: Result<Read<Root>> = readRoot(bytes, session.trust.schemes);
  if (!read.ok) return read;
  const next = read.value.content;
  const checked = firstFault(
    () => checkSignatures(session, rootAuthority(current), read.value),
    () => session.trust.rule.checkRoot(next),
    () => checkSignatures(session, rootAuthority(next), read.value),
  );
  if (!checked.ok) return checked;
  return next.version === current.version + 1
    ? ok(next)
    : deny('integrity', 'metadata-rollback', `root ${next.version} after ${current.version}`);
};

const rootAuthority = ({ roles, keys }: Root) => ({ role: 'root', roleKeys: roles.root, keys });
