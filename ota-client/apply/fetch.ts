/**
 * Bytes of an update from mirrors that nobody trusts: every answer has exactly the asked length and the named hash, or
 * it is asked for again, then of another mirror. Pieces are never spliced from two answers.
 */
import { concat } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { checkPiece } from '../payload/decode.ts';
import type { PinnedFile } from '../payload/files.ts';
import { maxBatchBytes, maxFetchBytes } from '../payload/limits.ts';
import type { Piece } from '../payload/recipe.ts';
import { checkPin } from '../payload/segment-index.ts';

/**
 * One HTTP range request or its like. A shorter or longer body, an ignored `Range` or a file that changed under way may
 * come back as wrong bytes: they are found out here (rows 33, 34).
 */
export type FetchRange = (
  path: string,
  offsetBytes: number,
  lengthBytes: number,
  signal: AbortSignal,
) => Promise<Result<Uint8Array>>;

export interface Fetcher {
  /**
   * A whole file.
   * @param mostBytes of one that is read: nothing is asked for of a file that the release says is longer
   * @returns its bytes, `protocol/too-large`, `integrity/target-mismatch`, `unavailable/aborted`, or the last mirror's fault
   */
  file(file: PinnedFile, mostBytes: number): Promise<Result<Uint8Array>>;
  /** @param order all pieces of the file, so that neighbours come in one request */
  pieces(path: string, order: readonly Piece[]): (piece: Piece) => Promise<Result<Uint8Array>>;
  readonly fetchedBytes: number;
}

/** Of one mirror, before the next is asked. */
const attemptsPerMirror = 3;

export const fetcher = (mirrors: readonly FetchRange[], signal: AbortSignal): Fetcher => {
  let fetchedBytes = 0;
  const range = async (
    mirror: FetchRange,
    path: string,
    offsetBytes: number,
    lengthBytes: number,
  ): Promise<Result<Uint8Array>> => {
    const answer = await mirror(path, offsetBytes, lengthBytes, signal);
    if (!answer.ok) return answer;
    fetchedBytes += answer.value.length;
    return answer.value.length === lengthBytes
      ? answer
      : deny('protocol', 'malformed', `${answer.value.length} bytes where ${lengthBytes} were asked`);
  };
  const persist = async (
    ask: (mirror: FetchRange, attempt: number) => Promise<Result<Uint8Array>>,
  ): Promise<Result<Uint8Array>> => {
    let last: Result<Uint8Array> = deny('unavailable', 'peer-unreachable', 'no mirror');
    for (const mirror of mirrors)
      for (let attempt = 0; attempt < attemptsPerMirror; attempt += 1) {
        if (signal.aborted) return deny('unavailable', 'aborted');
        last = await ask(mirror, attempt);
        if (last.ok) return last;
      }
    return last;
  };
  return {
    get fetchedBytes() {
      return fetchedBytes;
    },
    async file(file, mostBytes) {
      if (file.lengthBytes > mostBytes) return deny('protocol', 'too-large', file.path);
      return persist(async (mirror) => {
        const parts: Uint8Array[] = [];
        for (let offset = 0; offset < file.lengthBytes; offset += maxFetchBytes) {
          const part = await range(mirror, file.path, offset, Math.min(maxFetchBytes, file.lengthBytes - offset));
          if (!part.ok) return part;
          parts.push(part.value);
        }
        return checkPin(concat(...parts), file);
      });
    },
    pieces(path, order) {
      const positions = new Map(order.map((piece, at) => [piece.offsetBytes, at]));
      let batch: { readonly offsetBytes: number; readonly bytes: Uint8Array } = { offsetBytes: 0, bytes: new Uint8Array() };
      let lastPosition: number | undefined;
      const batchEnd = (piece: Piece): number => {
        let end = piece.offsetBytes + piece.lengthBytes;
        for (let at = (positions.get(piece.offsetBytes) ?? order.length) + 1; at < order.length; at += 1) {
          const next = order[at];
          if (next === undefined || next.offsetBytes + next.lengthBytes - piece.offsetBytes > maxBatchBytes) break;
          end = next.offsetBytes + next.lengthBytes;
        }
        return end;
      };
      const fromBatch = (piece: Piece): Result<Uint8Array> => {
        const at = piece.offsetBytes - batch.offsetBytes;
        return at >= 0 && at + piece.lengthBytes <= batch.bytes.length
          ? checkPiece(batch.bytes.subarray(at, at + piece.lengthBytes), piece)
          : deny('unavailable', 'not-found', 'not in the batch');
      };
      return async (piece) => {
        // Neighbours come along only for who takes one piece after the other, not for who is missing one.
        const position = positions.get(piece.offsetBytes);
        const isInOrder = lastPosition !== undefined && position === lastPosition + 1;
        lastPosition = position;
        const ready = fromBatch(piece);
        if (ready.ok) return ready;
        // A piece of the batch that came wrong is asked for alone: its neighbours are good as they are.
        const isBatch = isInOrder && ready.fault.category !== 'integrity';
        return persist(async (mirror, attempt) => {
          const end = isBatch && attempt === 0 ? batchEnd(piece) : piece.offsetBytes + piece.lengthBytes;
          const answer = await range(mirror, path, piece.offsetBytes, end - piece.offsetBytes);
          if (!answer.ok) return answer;
          const checked = checkPiece(answer.value.subarray(0, piece.lengthBytes), piece);
          if (isBatch && attempt === 0) batch = { offsetBytes: piece.offsetBytes, bytes: answer.value };
          return checked.ok ? ok(checked.value) : checked;
        });
      };
    },
  };
};
