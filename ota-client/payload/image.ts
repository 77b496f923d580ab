/** An image of any size, read piece by piece: what a publisher makes files of, and a custodian compares. */
import { deny, done, ok, type Result } from '#hal/core/result';
import { type BlockDevice, isInside } from '#hal/ports/block-device';
import { blockBytes, isImageSize, maxImageBytes, segmentBytes, segmentCount, segmentLength } from './limits.ts';

/** As a `BlockDevice` reads, but for whom the bytes belong to: nobody writes to what comes out. */
export type Image = Pick<BlockDevice, 'sizeBytes' | 'read'>;

/** One that is in memory; what it reads are views. */
export const bytesImage = (bytes: Uint8Array): Image => ({
  sizeBytes: bytes.length,
  async read(offsetBytes, lengthBytes) {
    if (!isInside({ sizeBytes: bytes.length }, offsetBytes, lengthBytes))
      return deny('protocol', 'field-invalid', `${lengthBytes} bytes at ${offsetBytes} of ${bytes.length}`);
    return ok(bytes.subarray(offsetBytes, offsetBytes + lengthBytes));
  },
});

/**
 * The image as it will lie in its slot: zeros behind it, up to whole blocks.
 * @returns `protocol/config-invalid` for an image that is empty or above the limit
 */
export const slotImage = (image: Image): Result<Image> => {
  const sizeBytes = Math.ceil(image.sizeBytes / blockBytes) * blockBytes;
  if (!isImageSize(sizeBytes))
    return deny('protocol', 'config-invalid', `an image has 1 to ${maxImageBytes} bytes, not ${image.sizeBytes}`);
  return ok({
    sizeBytes,
    async read(offsetBytes, lengthBytes, into) {
      const given = Math.min(lengthBytes, image.sizeBytes - offsetBytes);
      if (given === lengthBytes || !isInside({ sizeBytes }, offsetBytes, lengthBytes))
        return image.read(offsetBytes, lengthBytes, into);
      const padded = into?.subarray(0, lengthBytes) ?? new Uint8Array(lengthBytes);
      const read = given > 0 ? await image.read(offsetBytes, given, padded) : ok(padded.subarray(0, 0));
      if (!read.ok) return read;
      if (read.value.buffer !== padded.buffer) padded.set(read.value);
      padded.fill(0, Math.max(0, given));
      return ok(padded);
    },
  });
};

/** The same for bytes. @throws where no image has that size */
export const wholeBlocks = (bytes: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(Math.ceil(bytes.length / blockBytes) * blockBytes);
  if (!isImageSize(whole.length)) throw new Error(`an image has 1 to ${maxImageBytes} bytes, not ${bytes.length}`);
  if (whole.length === bytes.length) return bytes;
  whole.set(bytes);
  return whole;
};

export type TakeSegment = (segment: Uint8Array, at: number) => Result<void> | Promise<Result<void>>;

/**
 * Segment by segment, all in the same memory: who keeps one makes a copy.
 * @param image whole blocks
 * @returns nothing, or the first fault of the image or of `take`
 */
export const eachSegment = async (image: Image, take: TakeSegment): Promise<Result<void>> => {
  const memory = new Uint8Array(Math.min(segmentBytes, image.sizeBytes));
  for (let at = 0; at < segmentCount(image.sizeBytes); at += 1) {
    const taken = await takeSegment(image, at, memory, take);
    if (!taken.ok) return taken;
  }
  return done;
};

/** One of them. @param memory of a segment */
export const takeSegment = async (image: Image, at: number, memory: Uint8Array, take: TakeSegment): Promise<Result<void>> => {
  const read = await image.read(at * segmentBytes, segmentLength(image.sizeBytes, at), memory);
  return read.ok ? take(read.value, at) : read;
};

export const eachBlock = (segment: Uint8Array, take: (block: Uint8Array, at: number) => void): void => {
  for (let at = 0; at * blockBytes < segment.length; at += 1) take(segment.subarray(at * blockBytes, (at + 1) * blockBytes), at);
};
