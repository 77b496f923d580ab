/** The publisher's side of the any-source files, segment by segment. */
import { concat } from '#hal/core/bytes';
import { blockBytes, unitBytes } from './limits.ts';
import { sha256 } from './segment-index.ts';
import { encodeLocated, encodeSheet, hintBytes, unitContext } from './units.ts';
import { isZeros } from './zeros.ts';
import { compress } from './zstd.ts';

export interface SegmentUnits {
  /** What the locator says of the segment. */
  readonly located: Uint8Array;
  /** Sheet and units. */
  readonly bytes: Uint8Array;
}

/** @param level of zstd, 1 to 22 */
export const unitsOf = (segment: Uint8Array, level: number): SegmentUnits => {
  if (isZeros(segment)) return { located: encodeLocated(undefined), bytes: new Uint8Array() };
  const units = eachPart(segment, unitBytes, (unit, start) => compress(unit, unitContext(segment, start), level));
  const sheet = encodeSheet(units.map((unit) => ({ lengthBytes: unit.length, sha256: sha256(unit) })));
  const hints = eachPart(segment, blockBytes, (block) =>
    isZeros(block) ? new Uint8Array(hintBytes) : sha256(block).subarray(0, hintBytes),
  );
  const bytes = concat(sheet, ...units);
  return { located: encodeLocated({ sheet: sha256(sheet), hints: concat(...hints), lengthBytes: bytes.length }), bytes };
};

const eachPart = <T>(bytes: Uint8Array, size: number, make: (part: Uint8Array, start: number) => T): readonly T[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => make(bytes.subarray(at * size, (at + 1) * size), at * size));
