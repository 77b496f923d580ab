/**
 * What the log of releases holds: one line that names a kind, and the SHA-256 of what was signed. Who reads the log finds
 * every signature that devices could ever have been shown, and asks the custodians what it was.
 *
 * `targets`: the targets metadata of one class, as published; what the mind of a device follows. `statement`: the payload
 * of a release's signed statement; what the hands write by, who read no metadata.
 */
import { fromHex, toHex, utf8 } from '#hal/core/bytes';
import { leafHash } from '#hal/crypto/merkle';

export const entryKinds = ['targets', 'statement'] as const;
export type EntryKind = (typeof entryKinds)[number];

export interface LogEntry {
  readonly kind: EntryKind;
  /** 32 bytes. */
  readonly digest: Uint8Array;
}

/** The bytes that are a leaf's content: a tag, so that no other log's leaf is one of ours. */
export const entryBytes = ({ kind, digest }: LogEntry): Uint8Array =>
  utf8(`enigm.device/release-log/1 ${kind} ${toHex(digest)}\n`);

/** @returns the entry, undefined for bytes that are none of ours */
export const readEntry = (bytes: Uint8Array): LogEntry | undefined => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const [, kind, digest = ''] = /^enigm\.device\/release-log\/1 (targets|statement) ([0-9a-f]{64})\n$/.exec(text) ?? [];
  return kind === undefined ? undefined : { kind: kind as EntryKind, digest: fromHex(digest) ?? new Uint8Array() };
};

/** RFC 9162 §2.1.1. */
export const entryLeaf = (entry: LogEntry): Uint8Array => leafHash(entryBytes(entry));

/** Where a repository has the proof of an entry: C2SP tlog-proof asks for the extension. */
export const proofPath = ({ kind, digest }: LogEntry): string => `log/proofs/${kind}-${toHex(digest)}.tlog-proof`;
