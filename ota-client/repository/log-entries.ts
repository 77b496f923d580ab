/**
 * What of a publication goes into the log of releases, and what of it devices may still be shown: the targets metadata of
 * a class, and the statement of each release in it that writes a slot.
 */
import { fromHex } from '#hal/core/bytes';
import { decodeMessage } from '#hal/core/message';
import { ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { LogEntry } from '#ota-client/transparency/entry';
import { consistentPath, type StaticFiles } from './files.ts';
import { type ImageRepository, publishedMeta, type SignedRole } from './publish.ts';
import type { ReleaseRecord } from './release-record.ts';
import { isOffered } from './release-table.ts';

/** The log as the desk needs it: everything is entered and proved, or why it is not. */
export interface DeskLog {
  record(fresh: readonly LogEntry[], live: readonly LogEntry[]): Promise<Result<void>>;
  /** A release was made public without it: a repair must always be possible (SR-12), and of bundles no device asks the proof. */
  leftOut(release: ReleaseRecord, code: string): void;
}

/** Statements of these are verified by the hands before they write. */
const isWritten = ({ class: name }: ReleaseRecord): boolean => name === 'os' || name === 'repair';

/** What is about to be public. */
export interface Publication {
  /** Signed, of classes. */
  readonly lists: readonly SignedRole[];
  /** In one of them for the first time. */
  readonly release?: ReleaseRecord;
  /** Every release of the office. */
  readonly all: readonly ReleaseRecord[];
}

/** Entered before it is public; with a new proof for what was public before, so that no device is shown an older tree. */
export const enterPublication = async (
  log: DeskLog,
  { crypto, files }: Pick<ImageRepository, 'crypto' | 'files'>,
  { lists, release, all }: Publication,
): Promise<Result<void>> => {
  const published = await publishedMeta(files);
  if (!published.ok) return published;
  const fresh: LogEntry[] = lists.map(({ bytes }) => ({ kind: 'targets', digest: crypto.hash('sha256', bytes) }));
  const live: LogEntry[] = [];
  for (const { hashes } of published.value.meta.values()) {
    const digest = fromHex(hashes?.get('sha256') ?? '');
    if (digest?.length === 32) live.push({ kind: 'targets', digest });
  }
  const named = release === undefined ? [] : [release];
  for (const other of [...named, ...all.filter(({ state }) => state === 'staged' || isOffered(state))]) {
    const digests = isWritten(other) && other.state !== 'revoked' ? await statementDigests(crypto, files, other) : ok([]);
    if (!digests.ok) return digests;
    for (const digest of digests.value) (other === release ? fresh : live).push({ kind: 'statement', digest });
  }
  return log.record(fresh, live);
};

/** @param statement an encoded envelope, not verified here. @returns the digest by which hands know its release, or `protocol/malformed` */
export const statementDigest = (crypto: CryptoBackend, statement: Uint8Array): Result<Uint8Array> => {
  const envelope = decodeMessage('Envelope', statement);
  return envelope.ok ? ok(crypto.hash('sha256', envelope.value.payload)) : envelope;
};

const statementDigests = async (
  crypto: CryptoBackend,
  files: Pick<StaticFiles, 'get'>,
  { entries }: ReleaseRecord,
): Promise<Result<readonly Uint8Array[]>> => {
  const digests: Uint8Array[] = [];
  for (const entry of entries) {
    const bytes = await files.get(consistentPath(entry));
    if (!bytes.ok) return bytes;
    const manifest = decodeMessage('ReleaseManifest', bytes.value ?? new Uint8Array());
    if (!manifest.ok) return manifest;
    const digest = statementDigest(crypto, manifest.value.statement);
    if (!digest.ok) return digest;
    digests.push(digest.value);
  }
  return ok(digests);
};
