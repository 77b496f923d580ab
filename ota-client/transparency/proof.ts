/**
 * C2SP tlog-proof: that an entry is in a log whose tree witnesses saw. One text that is stapled to a release and verified
 * without asking anybody. Extra data is refused: there is none in ours, and nothing authenticates it.
 */
import { concat, fromBase64, toBase64, utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { maxProofLength } from '#hal/crypto/merkle';

export interface StapledProof {
  readonly index: number;
  /** RFC 6962 §2.1.1: from the leaf's sibling to the root's child, 32 bytes each. */
  readonly path: readonly Uint8Array[];
  /** The signed note as the log gave it. */
  readonly checkpoint: Uint8Array;
}

/** A log and six witnesses with two signatures each, and the longest path. */
export const maxProofBytes = 48 * 1024;
const header = 'c2sp.org/tlog-proof@v1';

export const encodeProof = ({ index, path, checkpoint }: StapledProof): Uint8Array =>
  concat(utf8(`${[header, `index ${index}`, ...path.map(toBase64)].join('\n')}\n\n`), checkpoint);

/** @returns the proof, nothing of it verified; or `protocol/too-large`, `protocol/malformed` */
export const readProof = (bytes: Uint8Array): Result<StapledProof> => {
  if (bytes.length > maxProofBytes) return deny('protocol', 'too-large', 'log proof');
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = buffer.indexOf('\n\n');
  if (end < 0) return deny('protocol', 'malformed', 'log proof: no checkpoint');
  const [first, second = '', ...hashes] = buffer.subarray(0, end).toString('latin1').split('\n');
  const [, digits] = /^index (0|[1-9]\d{0,15})$/.exec(second) ?? [];
  const index = Number(digits);
  if (first !== header || !Number.isSafeInteger(index)) return deny('protocol', 'malformed', 'log proof: header');
  if (hashes.length > maxProofLength) return deny('protocol', 'malformed', `log proof: ${hashes.length} hashes`);
  const path: Uint8Array[] = [];
  for (const line of hashes) {
    const hash = fromBase64(line);
    if (hash?.length !== 32) return deny('protocol', 'malformed', 'log proof: a hash');
    path.push(hash);
  }
  return ok({ index, path, checkpoint: bytes.subarray(end + 2) });
};
