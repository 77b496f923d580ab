/** C2SP tlog-witness, `add-checkpoint`: what a log asks a witness, and what it is answered. */
import { concat, fromBase64, toBase64, utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { maxNoteBytes } from '#hal/crypto/signed-note';

export interface WitnessRequest {
  /** Size of the tree that this witness cosigned last; 0 where it never did. */
  readonly oldSize: number;
  /** RFC 6962 §2.1.2, from that tree to this one: 32 bytes each. */
  readonly path: readonly Uint8Array[];
  readonly checkpoint: Uint8Array;
}

/** As over HTTP, which is how a witness elsewhere is asked. */
export interface WitnessAnswer {
  /** 200: the lines. 409: the size that it cosigned last. Others: none. */
  readonly status: 200 | 400 | 403 | 404 | 409 | 422 | 500;
  readonly body: Uint8Array;
}

/** "MUST NOT send more than 63 consistency proof lines". */
const maxLines = 63;
export const maxRequestBytes = maxNoteBytes + 64 * 46;

export const encodeRequest = ({ oldSize, path, checkpoint }: WitnessRequest): Uint8Array =>
  concat(utf8(`${[`old ${oldSize}`, ...path.map(toBase64)].join('\n')}\n\n`), checkpoint);

/** @returns the request, nothing of it verified; or `protocol/too-large`, `protocol/malformed` */
export const readRequest = (bytes: Uint8Array): Result<WitnessRequest> => {
  if (bytes.length > maxRequestBytes) return deny('protocol', 'too-large', 'witness request');
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = buffer.indexOf('\n\n');
  const [first = '', ...hashes] = buffer.subarray(0, Math.max(0, end)).toString('latin1').split('\n');
  const [, digits] = /^old (0|[1-9]\d{0,15})$/.exec(first) ?? [];
  const oldSize = Number(digits);
  if (end < 0 || !Number.isSafeInteger(oldSize) || hashes.length > maxLines)
    return deny('protocol', 'malformed', 'witness request');
  const path: Uint8Array[] = [];
  for (const line of hashes) {
    const hash = fromBase64(line);
    if (hash?.length !== 32) return deny('protocol', 'malformed', 'witness request: a hash');
    path.push(hash);
  }
  return ok({ oldSize, path, checkpoint: bytes.subarray(end + 2) });
};
