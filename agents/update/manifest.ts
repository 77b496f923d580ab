/** The manifest of a release: its signed statement, and where the files are that make its image. */
import { decodeMessage } from '#hal/core/message';
import { ok, type Result } from '#hal/core/result';
import type { PayloadFiles, PinnedFile, RecipeSource } from '#ota-client/payload/files';
import type { PublishedFile, PublishedRecipe, ReleaseManifest } from '#protos/gen/types';

export interface ManifestContent {
  /** An encoded envelope, which `openStatement` opens. */
  readonly statement: Uint8Array;
  readonly files: PayloadFiles;
}

/** Each release has a target of its own: a device that the newest has not reached can still be given the one before. */
export const releasePath = (id: string): string => `os/${id}`;

/** @returns the id by which rollout buckets are drawn; undefined for a target of another class */
export const releaseIdOf = (path: string): string | undefined => (path.startsWith('os/') ? path.slice('os/'.length) : undefined);

export const manifestOf = ({ statement, files }: ManifestContent): ReleaseManifest => ({
  statement,
  index: published(files.index),
  full: publishedRecipe(files.full),
  pairs: files.pairs.map((pair) => ({ base: pair.base, ...publishedRecipe(pair) })),
  ...(files.units === undefined
    ? {}
    : { units: { locator: published(files.units.locator), piecesPath: files.units.piecesPath } }),
});

/** @returns statement and files, nothing of them verified; or `protocol/malformed`, `protocol/field-invalid` */
export const readManifest = (bytes: Uint8Array): Result<ManifestContent> => {
  const decoded = decodeMessage('ReleaseManifest', bytes);
  if (!decoded.ok) return decoded;
  const { statement, index, full, pairs, units } = decoded.value;
  return ok({
    statement,
    files: {
      index: pinned(index),
      full: source(full),
      pairs: pairs.map((pair) => ({ base: pair.base, ...source(pair) })),
      ...(units === undefined ? {} : { units: { locator: pinned(units.locator), piecesPath: units.piecesPath } }),
    },
  });
};

const published = ({ path, sha256, lengthBytes }: PinnedFile): PublishedFile => ({ path, digest: sha256, lengthBytes });
const publishedRecipe = ({ recipe, piecesPath }: RecipeSource): PublishedRecipe => ({ recipe: published(recipe), piecesPath });

const pinned = ({ path, digest, lengthBytes }: PublishedFile): PinnedFile => ({ path, sha256: digest, lengthBytes });
const source = ({ recipe, piecesPath }: PublishedRecipe): RecipeSource => ({ recipe: pinned(recipe), piecesPath });
