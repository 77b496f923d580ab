/** The files of an update by name and hash: what the signed release says of them. */
import type { Pin } from './segment-index.ts';

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
