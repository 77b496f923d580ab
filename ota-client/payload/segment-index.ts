/**
 * The index of an image: the SHA-256 of each of its segments. The signed release pins the bytes of the index, so every
 * segment is as good as signed.
 *
 * Layout: magic(8) ‖ image bytes(8) ‖ SHA-256(32) of each segment; numbers big-endian.
 */
import { hash } from 'node:crypto';
import { concat, equalBytes, u64be, utf8 } from '#hal/core/bytes';
import { malformed, parse } from '#hal/core/reader';
import { deny, type Failure, ok, type Result } from '#hal/core/result';
import { isImageSize, maxSegments, segmentCount, segmentLength } from './limits.ts';

export interface SegmentIndex {
  readonly imageBytes: number;
  /** 32 bytes for each segment, in order. */
  readonly digests: Uint8Array;
}

/** What the signed release says of one file. */
export interface Pin {
  readonly sha256: Uint8Array;
  readonly lengthBytes: number;
}

const magic = utf8('ENIGMIX1');
const headBytes = 16;
const digestBytes = 32;
export const maxIndexBytes = headBytes + maxSegments * digestBytes;

export const encodeIndex = ({ imageBytes, digests }: SegmentIndex): Uint8Array => concat(magic, u64be(imageBytes), digests);

/** @returns the index, or `integrity/payload-malformed` */
export const parseIndex = (bytes: Uint8Array): Result<SegmentIndex> => {
  if (bytes.length > maxIndexBytes) return refuse(`${bytes.length} bytes of index`);
  return parse(
    bytes,
    (reader) => {
      if (!equalBytes(reader.take(magic.length), magic)) malformed('not an index');
      const imageBytes = Number(reader.u64be());
      if (!isImageSize(imageBytes)) malformed(`an image of ${imageBytes} bytes`);
      return { imageBytes, digests: reader.take(segmentCount(imageBytes) * digestBytes) };
    },
    refuse,
  );
};

/** @returns the same bytes, or `integrity/target-mismatch` where they are not the ones that the release names */
export const checkPin = (bytes: Uint8Array, pin: Pin): Result<Uint8Array> =>
  bytes.length === pin.lengthBytes && equalBytes(sha256(bytes), pin.sha256)
    ? ok(bytes)
    : deny('integrity', 'target-mismatch', `${bytes.length} bytes where ${pin.lengthBytes} are named`);

export const pinOf = (bytes: Uint8Array): Pin => ({ sha256: sha256(bytes), lengthBytes: bytes.length });

/** Whether these bytes are segment `segment` of the image. */
export const isSegment = (index: SegmentIndex, segment: number, bytes: Uint8Array): boolean =>
  bytes.length === segmentLength(index.imageBytes, segment) && equalBytes(sha256(bytes), digestAt(index, segment));

export const digestAt = (index: SegmentIndex, segment: number): Uint8Array => digestsBetween(index, segment, segment + 1);

/** From one segment up to another, which is not among them. */
export const digestsBetween = ({ digests }: SegmentIndex, from: number, to: number): Uint8Array =>
  digests.subarray(from * digestBytes, to * digestBytes);

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash('sha256', bytes, 'buffer'));

const refuse = (why: string): Failure => deny('integrity', 'payload-malformed', `index: ${why}`);
