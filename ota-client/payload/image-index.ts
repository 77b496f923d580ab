/** The index of an image, made in one look at it. */
import { done, ok, type Result } from '#hal/core/result';
import { eachSegment, type Image, slotImage } from './image.ts';
import { segmentCount } from './limits.ts';
import { type SegmentIndex, sha256 } from './segment-index.ts';

/**
 * @param look at each segment on the way
 * @returns the index of the image in whole blocks; a fault of `slotImage` or of the image
 */
export const indexOf = async (given: Image, look?: (segment: Uint8Array) => void): Promise<Result<SegmentIndex>> => {
  const image = slotImage(given);
  if (!image.ok) return image;
  const { sizeBytes: imageBytes } = image.value;
  const digests = new Uint8Array(segmentCount(imageBytes) * 32);
  const read = await eachSegment(image.value, (segment, at) => {
    digests.set(sha256(segment), at * 32);
    look?.(segment);
    return done;
  });
  return read.ok ? ok({ imageBytes, digests }) : read;
};
