/**
 * A segment from any earlier image: its blocks from wherever they lie in the running slot, and units from the network for
 * those that lie nowhere. A hint that misleads, or a block that has rotted, makes other bytes than the index wants; the
 * caller then goes another way.
 */
import { equalBytes } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { passed } from '#hal/core/young-garbage';
import type { Source } from '../payload/decode.ts';
import type { PinnedFile, UnitSource } from '../payload/files.ts';
import { type HintTable, hintTable, isZeroHint } from '../payload/hints.ts';
import { blockBytes, segmentBytes, segmentLength, unitBytes } from '../payload/limits.ts';
import type { Piece } from '../payload/recipe.ts';
import { type SegmentIndex, sha256 } from '../payload/segment-index.ts';
import {
  hintBytes,
  type LocatedSegment,
  type Locator,
  maxLocatorBytes,
  parseLocator,
  parseSheet,
  unitContext,
} from '../payload/units.ts';
import { decompress } from '../payload/zstd.ts';
import type { Fetcher } from './fetch.ts';

interface Opened {
  readonly locator: Locator;
  readonly table: HintTable;
}

/** Locator and running slot are read when the first segment is asked for, and once only. */
export const adaptiveMaker = (
  index: SegmentIndex,
  indexPin: PinnedFile,
  from: UnitSource,
  fetch: Fetcher,
  source: Source,
): ((segment: number) => Promise<Result<Uint8Array>>) => {
  const { imageBytes } = index;
  let opened: Promise<Result<Opened>> | undefined;
  const open = async (): Promise<Result<Opened>> => {
    const bytes = await fetch.file(from.locator, maxLocatorBytes);
    if (!bytes.ok) return bytes;
    const locator = parseLocator(bytes.value, imageBytes);
    if (!locator.ok) return locator;
    if (!equalBytes(locator.value.target, indexPin.sha256))
      return deny('integrity', 'payload-malformed', 'units of another image');
    const table = hintTable(locator.value, imageBytes);
    await lookThrough(source, table);
    return ok({ locator: locator.value, table });
  };
  return async (segment) => {
    opened ??= open();
    const ready = await opened;
    if (!ready.ok) return ready;
    const { locator, table } = ready.value;
    const bytes = new Uint8Array(segmentLength(imageBytes, segment));
    const located = locator.segment(segment);
    if (located === undefined) return ok(bytes);
    const places = placesOf(located, table);
    const found = await takeFound(source, places, bytes);
    if (!found.ok) return found;
    const missing = missingUnits(places);
    if (missing.length === 0) return ok(bytes);
    const [sheet] = await fetched(fetch, from.piecesPath, [located.sheet]);
    if (sheet?.ok !== true) return sheet ?? deny('unavailable', 'not-found');
    const units = parseSheet(sheet.value, located, bytes.length);
    if (!units.ok) return units;
    return fillMissing(fetch, from.piecesPath, units.value, missing, bytes);
  };
};

/** Blocks that cannot be read are blocks that are not found. */
const lookThrough = async (source: Source, table: HintTable): Promise<void> => {
  const memory = new Uint8Array(segmentBytes);
  for (let offset = 0; offset + blockBytes <= source.sizeBytes; offset += segmentBytes) {
    const whole = Math.floor((source.sizeBytes - offset) / blockBytes) * blockBytes;
    const read = await source.read(offset, Math.min(segmentBytes, whole), memory);
    if (!read.ok) continue;
    for (let at = 0; at < read.value.length; at += blockBytes)
      table.note(sha256(read.value.subarray(at, at + blockBytes)), (offset + at) / blockBytes);
  }
};

/** For each block of a segment its place in the source; of zeros, and of those that are nowhere, none. */
type Place = number | 'zeros' | 'missing';

const placesOf = ({ hints }: LocatedSegment, table: HintTable): readonly Place[] =>
  Array.from({ length: hints.length / hintBytes }, (_, block) => {
    const hint = hints.subarray(block * hintBytes, (block + 1) * hintBytes);
    return isZeroHint(hint) ? 'zeros' : (table.find(hint) ?? 'missing');
  });

const unitBlocks = unitBytes / blockBytes;

const missingUnits = (places: readonly Place[]): readonly number[] =>
  Array.from({ length: Math.ceil(places.length / unitBlocks) }, (_, unit) => unit).filter((unit) =>
    places.slice(unit * unitBlocks, (unit + 1) * unitBlocks).includes('missing'),
  );

/** Neighbours in the source are read together. */
const takeFound = async (source: Source, places: readonly Place[], bytes: Uint8Array): Promise<Result<void>> => {
  for (let block = 0; block < places.length; ) {
    const first = places[block];
    let end = block + 1;
    if (typeof first === 'number') {
      while (end < places.length && places[end] === first + end - block) end += 1;
      const place = bytes.subarray(block * blockBytes, end * blockBytes);
      const read = await source.read(first * blockBytes, place.length, place);
      if (!read.ok) return read;
      if (read.value.buffer !== bytes.buffer) place.set(read.value);
    }
    block = end;
  }
  return ok(undefined);
};

/** In order, since a unit is compressed against what lies before it. */
const fillMissing = async (
  fetch: Fetcher,
  path: string,
  units: readonly Piece[],
  missing: readonly number[],
  bytes: Uint8Array,
): Promise<Result<Uint8Array>> => {
  for (const run of runsOf(missing)) {
    const pieces = run.flatMap((unit) => units[unit] ?? []);
    const answers = await fetched(fetch, path, pieces);
    for (const [at, compressed] of answers.entries()) {
      if (!compressed.ok) return compressed;
      const start = (run[at] as number) * unitBytes;
      const length = Math.min(unitBytes, bytes.length - start);
      const unit = decompress(compressed.value, unitContext(bytes, start), length);
      if (!unit.ok) return unit;
      bytes.set(unit.value, start);
      passed(unit.value.length);
    }
  }
  return ok(bytes);
};

/** Units side by side lie side by side in the file. */
const runsOf = (units: readonly number[]): readonly (readonly number[])[] => {
  const runs: number[][] = [];
  for (const unit of units) {
    const last = runs.at(-1);
    if (last?.at(-1) === unit - 1) last.push(unit);
    else runs.push([unit]);
  }
  return runs;
};

/** @param run pieces side by side */
const fetched = async (fetch: Fetcher, path: string, run: readonly Piece[]): Promise<readonly Result<Uint8Array>[]> => {
  const take = fetch.pieces(path, run);
  const answers: Result<Uint8Array>[] = [];
  for (const piece of run) {
    const answer = await take(piece);
    answers.push(answer);
    if (!answer.ok) break;
  }
  return answers;
};
