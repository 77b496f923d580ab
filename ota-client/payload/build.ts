/**
 * The publisher's side: from images to the files that a device fetches. The same images give the same files, byte for
 * byte, with the same zstd (Node's).
 *
 * Images are read and files written piece by piece. What is kept is, for each 4 KiB of the target, half a byte of index and
 * 16 bytes for every base; while a base is looked at, 13 to 18 bytes for each 4 KiB of it; at most 64 MiB of anchors; and a
 * few segments.
 */
import { toHex } from '#hal/core/bytes';
import { deny, done, type Failure, ok, type Result } from '#hal/core/result';
import { mostAnchorPlaces } from './anchors.ts';
import { blockTable } from './block-table.ts';
import { unitsOf } from './build-units.ts';
import type { PayloadFiles } from './files.ts';
import { eachBlock, eachSegment, type Image, slotImage } from './image.ts';
import { indexOf } from './image-index.ts';
import { blockBytes, maxLocatedBytes, segmentCount } from './limits.ts';
import { type CreateFile, type OpenWriter, writeFiles, writeWhole } from './new-file.ts';
import { type DescribedPieces, describedPieces } from './pieces.ts';
import { placesIn } from './places.ts';
import { encodeRecipeHead, encodeSegmentRecipe } from './recipe.ts';
import { type Base, type Draft, pairDraft, plainDraft, zeroDraft } from './segment-drafts.ts';
import { encodeIndex, isSegment, type SegmentIndex, sha256 } from './segment-index.ts';
import { encodeLocatorHead } from './units.ts';
import { isZeros } from './zeros.ts';

export interface PayloadInput {
  /** Where the files of this release lie on the server. */
  readonly folder: string;
  /** Zeros are added to whole blocks, here and to bases. */
  readonly target: Image;
  /** Of the target, as its statement was made: an image in a file may become another while this works. */
  readonly index: SegmentIndex;
  /** Images that devices run now: a pair recipe for each. */
  readonly bases: readonly Image[];
  /** Of zstd, 1 to 22. */
  readonly level: number;
  /** Also for devices that come from any other image, where the target is not too large to be located. */
  readonly isForAnySource: boolean;
  /** @param made segments of the target, of so many */
  readonly progress?: (made: number, segments: number) => void;
}

/**
 * Index, full recipe, a recipe for each base, and any-source files, in one pass over the target once the bases are known.
 * @returns what the signed release says of them; `protocol/config-invalid` for an image of no size, `integrity/image-mismatch`
 * for a target that is not that of its index, a fault of images or files
 */
export const buildPayload = async (input: PayloadInput, create: CreateFile): Promise<Result<PayloadFiles>> => {
  const target = slotImage(input.target);
  if (!target.ok) return target;
  const { index } = input;
  if (index.imageBytes !== target.value.sizeBytes) return otherImage(`${target.value.sizeBytes} bytes`);
  const bases = await knownBases(target.value, input.bases);
  if (!bases.ok) return bases;
  const encoded = encodeIndex(index);
  return writeFiles(create, async (open) => {
    const tiers = await openTiers(input, sha256(encoded), bases.value, open);
    if (!tiers.ok) return tiers;
    const segments = segmentCount(target.value.sizeBytes);
    const cooked = await eachSegment(target.value, async (segment, at) => {
      if (!isSegment(index, at, segment)) return otherImage(`segment ${at}`);
      const put = await cook(segment, at, tiers.value, input.level);
      if (put.ok) input.progress?.(at + 1, segments);
      return put;
    });
    if (!cooked.ok) return cooked;
    const indexFile = await writeWhole(open, `${input.folder}/index`, encoded);
    return indexFile.ok ? finishTiers(indexFile.value, tiers.value) : indexFile;
  });
};

const otherImage = (where: string): Failure => deny('integrity', 'image-mismatch', `${where}: not the image of its index`);

interface KnownBase extends Base {
  /** SHA-256 of its index. */
  readonly digest: Uint8Array;
}

/** One after the other, so that one table of blocks is there at a time. A base that was given twice counts once. */
const knownBases = async (target: Image, given: readonly Image[]): Promise<Result<readonly KnownBase[]>> => {
  const known = new Map<string, KnownBase>();
  for (const image of given) {
    const base = await knownBase(target, image, mostAnchorPlaces / given.length);
    if (!base.ok) return base;
    known.set(toHex(base.value.digest), base.value);
  }
  return ok([...known.values()]);
};

const knownBase = async (target: Image, given: Image, mostPlaces: number): Promise<Result<KnownBase>> => {
  const image = slotImage(given);
  if (!image.ok) return image;
  const table = blockTable(image.value.sizeBytes / blockBytes);
  const index = await indexOf(image.value, (segment) => eachBlock(segment, table.add));
  if (!index.ok) return index;
  const places = await placesIn(target, image.value, table, mostPlaces);
  return places.ok ? ok({ image: image.value, places: places.value, digest: sha256(encodeIndex(index.value)) }) : places;
};

interface Tiers {
  readonly full: DescribedPieces;
  readonly pairs: readonly { readonly base: KnownBase; readonly files: DescribedPieces }[];
  readonly units?: DescribedPieces;
}

/** @param index SHA-256 of that of the target */
const openTiers = async (
  { folder, target, isForAnySource }: PayloadInput,
  index: Uint8Array,
  bases: readonly KnownBase[],
  open: OpenWriter,
): Promise<Result<Tiers>> => {
  const full = await describedPieces(open, `${folder}/full`, 'recipe', encodeRecipeHead({ target: index }));
  if (!full.ok) return full;
  const pairs: Tiers['pairs'][number][] = [];
  for (const base of bases) {
    const head = encodeRecipeHead({ target: index, base: { index: base.digest, blocks: base.image.sizeBytes / blockBytes } });
    const files = await describedPieces(open, `${folder}/pair-${toHex(base.digest.subarray(0, 8))}`, 'recipe', head);
    if (!files.ok) return files;
    pairs.push({ base, files: files.value });
  }
  if (!isForAnySource || target.sizeBytes > maxLocatedBytes) return ok({ full: full.value, pairs });
  const units = await describedPieces(open, `${folder}/units`, 'locator', encodeLocatorHead(index));
  return units.ok ? ok({ full: full.value, pairs, units: units.value }) : units;
};

/** One segment for all. */
const cook = async (segment: Uint8Array, at: number, { full, pairs, units }: Tiers, level: number): Promise<Result<void>> => {
  const plainly = isZeros(segment) ? zeroDraft : plainDraft(segment, level);
  const put = await putDraft(full, plainly);
  if (!put.ok) return put;
  for (const { base, files } of pairs) {
    const draft = plainly === zeroDraft ? ok(zeroDraft) : await pairDraft(segment, at, base, plainly, level);
    const paired = draft.ok ? await putDraft(files, draft.value) : draft;
    if (!paired.ok) return paired;
  }
  if (units === undefined) return done;
  const { located, bytes } = unitsOf(segment, level);
  return units.put(located, bytes);
};

const putDraft = (files: DescribedPieces, { recipe, compressed }: Draft): Promise<Result<void>> =>
  files.put(encodeSegmentRecipe(recipe), compressed);

const finishTiers = async (index: PayloadFiles['index'], tiers: Tiers): Promise<Result<PayloadFiles>> => {
  const full = await tiers.full.finish();
  if (!full.ok) return full;
  const pairs: PayloadFiles['pairs'][number][] = [];
  for (const { base, files } of tiers.pairs) {
    const pair = await files.finish();
    if (!pair.ok) return pair;
    pairs.push({ base: base.digest, recipe: pair.value.description, piecesPath: pair.value.piecesPath });
  }
  const { description: recipe, piecesPath } = full.value;
  const named = { index, full: { recipe, piecesPath }, pairs };
  if (tiers.units === undefined) return ok(named);
  const units = await tiers.units.finish();
  return units.ok ? ok({ ...named, units: { locator: units.value.description, piecesPath: units.value.piecesPath } }) : units;
};
