/** The publisher's side of the any-source files. The same image gives the same files, byte for byte, with the same zstd. */
import { concat } from '#hal/core/bytes';
import { indexOf, wholeBlocks } from './build.ts';
import { blockBytes, maxLocatedBytes, segmentBytes, segmentCount, segmentLength, unitBytes } from './limits.ts';
import { encodeIndex, sha256 } from './segment-index.ts';
import { encodeLocator, encodeSheet, hintBytes, unitContext } from './units.ts';
import { compress } from './zstd.ts';

export interface UnitFiles {
  readonly locator: Uint8Array;
  /** Sheets and units, segment by segment. */
  readonly units: Uint8Array;
}

/**
 * @param level of zstd, 1 to 22
 * @returns undefined for an image that is too large to be located
 */
export const buildUnits = (target: Uint8Array, level: number): UnitFiles | undefined => {
  const image = wholeBlocks(target);
  if (image.length > maxLocatedBytes) return undefined;
  const parts = Array.from({ length: segmentCount(image.length) }, (_, segment) => {
    const start = segment * segmentBytes;
    return partOf(image.subarray(start, start + segmentLength(image.length, segment)), level);
  });
  return {
    locator: encodeLocator(sha256(encodeIndex(indexOf(image))), parts),
    units: concat(...parts.flatMap((part) => (part === undefined ? [] : [part.bytes]))),
  };
};

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

const partOf = (segment: Uint8Array, level: number) => {
  if (isZero(segment)) return undefined;
  const units = eachPart(segment, unitBytes, (unit, start) => compress(unit, unitContext(segment, start), level));
  const sheet = encodeSheet(units.map((unit) => ({ lengthBytes: unit.length, sha256: sha256(unit) })));
  const hints = eachPart(segment, blockBytes, (block) =>
    isZero(block) ? new Uint8Array(hintBytes) : sha256(block).subarray(0, hintBytes),
  );
  const bytes = concat(sheet, ...units);
  return { sheet: sha256(sheet), hints: concat(...hints), lengthBytes: bytes.length, bytes };
};

const eachPart = <T>(bytes: Uint8Array, size: number, make: (part: Uint8Array, start: number) => T): readonly T[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => make(bytes.subarray(at * size, (at + 1) * size), at * size));
