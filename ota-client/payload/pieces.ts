/** Compressed pieces, one after the other in a file, and a file beside it that says what they are: a recipe or a locator. */
import { ok, type Result } from '#hal/core/result';
import type { PinnedFile } from './files.ts';
import type { OpenWriter } from './new-file.ts';

export interface DescribedPieces {
  /** For the next segment. @param pieces absent where it needs none */
  put(description: Uint8Array, pieces?: Uint8Array): Promise<Result<void>>;
  finish(): Promise<Result<{ readonly description: PinnedFile; readonly piecesPath: string }>>;
}

/**
 * @param name of both, before their endings
 * @param head what the description begins with
 */
export const describedPieces = async (
  open: OpenWriter,
  name: string,
  kind: 'recipe' | 'locator',
  head: Uint8Array,
): Promise<Result<DescribedPieces>> => {
  const pieces = await open(`${name}.pieces`);
  if (!pieces.ok) return pieces;
  const description = await open(`${name}.${kind}`);
  if (!description.ok) return description;
  const begun = await description.value.append(head);
  if (!begun.ok) return begun;
  return ok({
    async put(said, bytes) {
      const put = await description.value.append(said);
      return put.ok && bytes !== undefined && bytes.length > 0 ? pieces.value.append(bytes) : put;
    },
    async finish() {
      const kept = await pieces.value.finish();
      if (!kept.ok) return kept;
      const said = await description.value.finish();
      return said.ok ? ok({ description: said.value, piecesPath: kept.value.path }) : said;
    },
  });
};
