/** The files of an update by name and hash: what the signed release says of them, and what a server holds. */
import { toHex } from '#hal/core/bytes';
import type { Payload, RecipeFiles } from './build.ts';
import type { UnitFiles } from './build-units.ts';
import { type Pin, pinOf } from './segment-index.ts';

export interface PinnedFile extends Pin {
  readonly path: string;
}

export interface PayloadFiles {
  readonly index: PinnedFile;
  /** Needs nothing from the device. */
  readonly full: RecipeSource;
  /** From some earlier images. */
  readonly pairs: readonly PairSource[];
  /** From any image. */
  readonly units?: UnitSource;
}

export interface RecipeSource {
  readonly recipe: PinnedFile;
  /** The compressed pieces; each is pinned by the recipe. */
  readonly piecesPath: string;
}

export interface PairSource extends RecipeSource {
  /** SHA-256 of the index of the image that it starts from. */
  readonly base: Uint8Array;
}

export interface UnitSource {
  readonly locator: PinnedFile;
  /** Sheets and units; each is pinned by the locator, or by what it pins. */
  readonly piecesPath: string;
}

export interface NamedPayload {
  readonly files: PayloadFiles;
  /** What a server must hold, by path. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

/**
 * @param folder where the files of this release lie on the server
 * @param pairs one for each base image, with the SHA-256 of its index
 * @param units where any image may be the base
 */
export const namePayload = (
  folder: string,
  { index, full }: Pick<Payload, 'index' | 'full'>,
  pairs: readonly { readonly base: Uint8Array; readonly files: RecipeFiles }[] = [],
  units?: UnitFiles,
): NamedPayload => {
  const contents = new Map<string, Uint8Array>();
  const pinned = (path: string, bytes: Uint8Array): PinnedFile => {
    contents.set(path, bytes);
    return { path, ...pinOf(bytes) };
  };
  const recipeOf = (name: string, { recipe, pieces }: RecipeFiles): RecipeSource => {
    const piecesPath = `${folder}/${name}.pieces`;
    contents.set(piecesPath, pieces);
    return { recipe: pinned(`${folder}/${name}.recipe`, recipe), piecesPath };
  };
  const unitsOf = ({ locator, units: pieces }: UnitFiles): UnitSource => {
    const piecesPath = `${folder}/units.pieces`;
    contents.set(piecesPath, pieces);
    return { locator: pinned(`${folder}/units.locator`, locator), piecesPath };
  };
  const files = {
    index: pinned(`${folder}/index`, index),
    full: recipeOf('full', full),
    pairs: pairs.map(({ base, files: pair }) => ({
      base,
      ...recipeOf(`pair-${toHex(base.subarray(0, 8))}`, pair),
    })),
    ...(units === undefined ? {} : { units: unitsOf(units) }),
  };
  return { files, contents };
};
