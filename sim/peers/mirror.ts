/** What a hostile mirror does to what passes: given to the file server, `files.takePath(flipBits())`. */
import type { MirrorPath } from './files.ts';

/** The lowest bit of the first byte of each part of these files is another one. */
export const flipBits =
  (which = /\.pieces$/): MirrorPath =>
  (path, _offset, bytes) => {
    if (!which.test(path) || bytes.length === 0) return bytes;
    const changed = bytes.slice();
    changed[0] = (changed[0] ?? 0) ^ 1;
    return changed;
  };

/** One signature is missing, and nothing else is touched. Of small metadata, which is asked for in one part. */
export const dropSignature =
  (which = /metadata\/timestamp\.json$/): MirrorPath =>
  (path, offset, bytes) =>
    which.test(path) && offset === 0 ? withoutLastSignature(bytes) : bytes;

/** @param bytes signed metadata: its last signature goes, which is the post-quantum one of its last custodian */
export const withoutLastSignature = (bytes: Uint8Array): Uint8Array => {
  const { signatures, signed } = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
    readonly signatures: readonly unknown[];
    readonly signed: unknown;
  };
  return new Uint8Array(Buffer.from(JSON.stringify({ signatures: signatures.slice(0, -1), signed })));
};
