/**
 * Ways to a segment, cheapest first: the same place of the running slot, the recipe from the running image, or where there
 * is none for it what can be found in the running slot, and the full recipe. The hash in the index decides; a way that fails
 * gives over to the next and never fails the update (row 37).
 */
import { equalBytes } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { maxTakenRanges, maxTakenSegments, type TakenRange, type TakenRun } from '#hal/ports/updater';
import { decodeSegment, type Source } from '../payload/decode.ts';
import type { PayloadFiles, PinnedFile, RecipeSource } from '../payload/files.ts';
import { blockBytes, segmentBytes, segmentCount, segmentLength } from '../payload/limits.ts';
import { maxRecipeBytes, parseRecipe, type Recipe } from '../payload/recipe.ts';
import { digestsBetween, isSegment, type SegmentIndex } from '../payload/segment-index.ts';
import { adaptiveMaker } from './adaptive.ts';
import type { Fetcher } from './fetch.ts';

/** The image that runs, if this device knows which it is. */
export interface RunningImage {
  /** SHA-256 of its index. */
  readonly index: Uint8Array;
  readonly device: Source;
  /**
   * Whoever has slot and medium side by side copies within the device: `SlotWriter.take`.
   * @returns how many of the segments are written; the next one must be made here
   */
  readonly take?: (segment: number, wanted: TakenRun) => Promise<Result<number>>;
}

export const tierNames = ['same', 'pair', 'adaptive', 'full'] as const;
export type TierName = (typeof tierNames)[number];

interface Tier {
  readonly name: TierName;
  /** The blocks of the running slot, and zeros, that a segment is, and nothing else; undefined where it is not. */
  readonly ranges?: (segment: number) => Promise<readonly TakenRange[] | undefined>;
  readonly make: (segment: number) => Promise<Result<Uint8Array>>;
}

export interface MadeSegment {
  readonly bytes: Uint8Array;
  readonly tier: TierName;
}

export interface SegmentMaker {
  /** @returns the bytes, proved against the index, which are the caller's own; or the last tier's fault */
  make(segment: number): Promise<Result<MadeSegment>>;
  /** @returns what to take, by the first tier: of as many from this one on as are in the running slot, or are zeros */
  takable(segment: number): Promise<TakenRun>;
  readonly firstTier: TierName;
}

export const segmentMaker = (
  index: SegmentIndex,
  files: PayloadFiles,
  fetch: Fetcher,
  running: RunningImage | undefined,
  signal: AbortSignal,
): SegmentMaker => {
  const tiers = tiersFor(index, files, fetch, running);
  const [first] = tiers;
  const make = async (segment: number): Promise<Result<MadeSegment>> => {
    let last: Result<MadeSegment> = deny('integrity', 'segment-mismatch', `segment ${segment}`);
    for (const { name, make } of tiers) {
      const made = await make(segment);
      if (made.ok && isSegment(index, segment, made.value)) return ok({ bytes: made.value, tier: name });
      if (signal.aborted) return deny('unavailable', 'aborted');
      last = made.ok ? deny('integrity', 'segment-mismatch', `segment ${segment} by the ${name} recipe`) : made;
    }
    return last;
  };
  return {
    make,
    firstTier: first.name,
    async takable(segment) {
      const ranges: TakenRange[] = [];
      let end = segment;
      for (const last = Math.min(segment + maxTakenSegments, segmentCount(index.imageBytes)); end < last; end += 1) {
        const next = await first.ranges?.(end);
        if (next === undefined || ranges.length + next.length > maxTakenRanges) break;
        for (const range of next) append(ranges, range);
      }
      return { digests: digestsBetween(index, segment, end), ranges };
    },
  };
};

/** What lies side by side in the running slot is one range. */
const append = (ranges: TakenRange[], range: TakenRange): void => {
  const last = ranges.at(-1);
  const isNext = last !== undefined && range.block === (last.block === undefined ? undefined : last.block + last.blocks);
  if (isNext) ranges[ranges.length - 1] = { ...last, blocks: last.blocks + range.blocks };
  else ranges.push(range);
};

const tiersFor = (
  index: SegmentIndex,
  files: PayloadFiles,
  fetch: Fetcher,
  running: RunningImage | undefined,
): readonly [Tier, ...Tier[]] => {
  const full: Tier = { name: 'full', ...recipeMaker(index, files.index, files.full, fetch, undefined) };
  if (running === undefined) return [full];
  const { device } = running;
  if (equalBytes(running.index, files.index.sha256)) {
    const make = (segment: number) => device.read(segment * segmentBytes, segmentLength(index.imageBytes, segment));
    const ranges = async (segment: number) => [
      {
        block: (segment * segmentBytes) / blockBytes,
        blocks: segmentLength(index.imageBytes, segment) / blockBytes,
      },
    ];
    return [{ name: 'same', make, ranges }, full];
  }
  const pair = files.pairs.find(({ base }) => equalBytes(base, running.index));
  if (pair !== undefined) return [{ name: 'pair', ...recipeMaker(index, files.index, pair, fetch, running) }, full];
  const { units } = files;
  // Beside a pair it would not pay: a locator and a pass over the slot cost more than some segments in full.
  return units === undefined
    ? [full]
    : [{ name: 'adaptive', make: adaptiveMaker(index, files.index, units, fetch, device) }, full];
};

/** The recipe is fetched when its first segment is asked for, and once only. */
const recipeMaker = (
  index: SegmentIndex,
  indexPin: PinnedFile,
  from: RecipeSource,
  fetch: Fetcher,
  running: RunningImage | undefined,
): Omit<Tier, 'name'> => {
  let opened: Promise<Result<{ readonly recipe: Recipe; readonly piece: ReturnType<Fetcher['pieces']> }>> | undefined;
  const open = async () => {
    const bytes = await fetch.file(from.recipe, maxRecipeBytes);
    if (!bytes.ok) return bytes;
    const recipe = parseRecipe(bytes.value, index.imageBytes);
    if (!recipe.ok) return recipe;
    const { target, base, segments } = recipe.value;
    const isOurs =
      equalBytes(target, indexPin.sha256) && (base === undefined || equalBytes(base.index, running?.index ?? new Uint8Array()));
    if (!isOurs) return deny('integrity', 'payload-malformed', 'a recipe for other images');
    const order = segments.flatMap((segment) => ('piece' in segment ? [segment.piece] : []));
    return ok({ recipe: recipe.value, piece: fetch.pieces(from.piecesPath, order) });
  };
  const ready = () => {
    opened ??= open();
    return opened;
  };
  const ranges = async (segment: number) => {
    const recipe = await ready();
    const how = recipe.ok ? recipe.value.recipe.segments[segment] : undefined;
    if (how?.kind === 'zero') return [{ blocks: segmentLength(index.imageBytes, segment) / blockBytes }];
    return how?.kind === 'copy' ? how.ranges : undefined;
  };
  const make = async (segment: number): Promise<Result<Uint8Array>> => {
    const open = await ready();
    if (!open.ok) return open;
    const how = open.value.recipe.segments[segment];
    if (how === undefined) return deny('integrity', 'payload-malformed', `no recipe for segment ${segment}`);
    const source = running === undefined ? {} : { source: running.device };
    return decodeSegment(how, segmentLength(index.imageBytes, segment), { ...source, piece: open.value.piece });
  };
  return { make, ranges };
};
