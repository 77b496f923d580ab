/** For tests: a payload in memory, made as a publisher makes it. */
import { unwrap } from '#hal/core/result';
import { memoryFiles } from '../repository/files.ts';
import { buildPayload, type PayloadInput } from './build.ts';
import type { PayloadFiles } from './files.ts';
import { bytesImage } from './image.ts';
import { indexOf } from './image-index.ts';

export interface RecipeFiles {
  readonly recipe: Uint8Array;
  readonly pieces: Uint8Array;
}

export interface BuiltPayload {
  readonly files: PayloadFiles;
  /** By path. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
  readonly index: Uint8Array;
  readonly full: RecipeFiles;
  /** The full recipe where no base was given. */
  readonly pair: RecipeFiles;
}

type Choices = Partial<Pick<PayloadInput, 'folder' | 'level' | 'isForAnySource'>>;

export const builtPayload = async (
  target: Uint8Array,
  base?: Uint8Array,
  { folder = 'release', level = 1, isForAnySource = false }: Choices = {},
): Promise<BuiltPayload> => {
  const contents = new Map<string, Uint8Array>();
  const bases = base === undefined ? [] : [bytesImage(base)];
  const index = unwrap(await indexOf(bytesImage(target)));
  const input = { folder, target: bytesImage(target), index, bases, level, isForAnySource };
  const files = unwrap(await buildPayload(input, memoryFiles(contents).create));
  const bytesOf = (path: string): Uint8Array => contents.get(path) ?? new Uint8Array();
  const recipeFiles = ({ recipe, piecesPath }: PayloadFiles['full']): RecipeFiles => ({
    recipe: bytesOf(recipe.path),
    pieces: bytesOf(piecesPath),
  });
  const [pair = files.full] = files.pairs;
  return { files, contents, index: bytesOf(files.index.path), full: recipeFiles(files.full), pair: recipeFiles(pair) };
};

/** @returns locator and units of an image for any source */
export const builtUnits = async (target: Uint8Array, level = 1): Promise<{ locator: Uint8Array; units: Uint8Array }> => {
  const { contents } = await builtPayload(target, undefined, { level, isForAnySource: true });
  const [locator = new Uint8Array(), units = new Uint8Array()] = ['locator', 'pieces'].map((kind) =>
    contents.get(`release/units.${kind}`),
  );
  return { locator, units };
};
