/**
 * C2SP tlog-tiles: a log as static files. 256 hashes a tile, and each hash of a level above stands for a full tile below;
 * the entries themselves lie in bundles beside. Files of a full tile never change.
 */
import { concat, u16be } from '#hal/core/bytes';
import { malformed, parse } from '#hal/core/reader';
import { deny, type Result } from '#hal/core/result';
import type { NodeSource } from '#hal/crypto/merkle';

export const tileWidth = 256;
const tileHeight = 8;
export const hashBytes = 32;

/** A tile and how many of its places are taken in a tree of some size. */
export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/** `tile/<L>/<N>[.p/<W>]`: N in groups of three digits, all but the last behind an x. */
export const tilePath = ({ level, index, width }: Tile): string => {
  const groups: string[] = [];
  for (let rest = index, isLast = true; isLast || rest > 0; rest = Math.floor(rest / 1000), isLast = false)
    groups.unshift(`${isLast ? '' : 'x'}${String(rest % 1000).padStart(3, '0')}`);
  return `log/tile/${level}/${groups.join('/')}${width === tileWidth ? '' : `.p/${width}`}`;
};

/** The tiles of one level that a tree of `size` leaves has; only those that one of `before` leaves has not. */
export const tilesOf = (level: number | 'entries', size: number, before = 0): readonly Tile[] => {
  const unit = level === 'entries' ? 1 : tileWidth ** level;
  const count = Math.floor(size / unit);
  const first = Math.floor(Math.floor(before / unit) / tileWidth);
  const tiles: Tile[] = [];
  for (let index = first; index * tileWidth < count; index += 1)
    tiles.push({ level, index, width: Math.min(tileWidth, count - index * tileWidth) });
  return tiles;
};

/** Hashes one after the other: the roots of the subtrees that the tile's places stand for. */
export const tileBytes = (nodes: NodeSource, { level, index, width }: Tile & { readonly level: number }): Uint8Array =>
  concat(...Array.from({ length: width }, (_, place) => nodes(level * tileHeight, index * tileWidth + place)));

/** @returns the hashes of a tile of this width; or `protocol/malformed` */
export const readTile = (bytes: Uint8Array, width: number): Result<readonly Uint8Array[]> =>
  parse(
    bytes,
    (reader) => Array.from({ length: width }, () => new Uint8Array(reader.take(hashBytes))),
    (why) => deny('protocol', 'malformed', `tile: ${why}`),
  );

/** Each entry behind its length of 16 bits. */
export const bundleBytes = (entries: readonly Uint8Array[]): Uint8Array =>
  concat(...entries.flatMap((entry) => [u16be(entry.length), entry]));

/** @returns the entries of a bundle of this width; or `protocol/malformed` */
export const readBundle = (bytes: Uint8Array, width: number): Result<readonly Uint8Array[]> =>
  parse(
    bytes,
    (reader) =>
      Array.from({ length: width }, () => {
        const length = reader.u16be();
        if (length === 0) malformed('an empty entry');
        return new Uint8Array(reader.take(length));
      }),
    (why) => deny('protocol', 'malformed', `entry bundle: ${why}`),
  );
