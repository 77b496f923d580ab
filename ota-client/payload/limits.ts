/**
 * How large the parts of an update may be. A parser refuses what is above these before it allocates.
 *
 * 256 KiB segments with dictionaries of 512 KiB gave the smallest updates of the sizes that were measured, and any
 * near them cost 2 to 5 %; the smaller memory was taken.
 */
export const segmentBytes = 256 * 1024;
/** Images, copies and dictionaries are made of blocks; also the block of the hash tree. */
export const blockBytes = 4096;
export const maxSegments = 65_536;
export const maxImageBytes = maxSegments * segmentBytes;
export const maxDictionaryBytes = 512 * 1024;
/** Ranges in one recipe: as many as a segment or a dictionary has blocks. */
export const maxCopyRanges = segmentBytes / blockBytes;
export const maxDictionaryRanges = maxDictionaryBytes / blockBytes;
/** zstd adds at most 3 bytes to a block of 128 KiB that it cannot shrink, and a frame header of at most 18 (RFC 8878 §3.1.1). */
export const maxCompressedBytes = segmentBytes + 64;
/** `Window_Size` of RFC 8878 §3.1.1.1.2 as a power of two: 2 MiB. */
export const maxWindowLog = 21;
/** What one range request asks for of a file that is fetched whole: with 1 MiB, mouth and mind held 7 MiB more. */
export const maxFetchBytes = 512 * 1024;
/** And of pieces that lie side by side: not more than a segment, so that a kill costs no more than one fetched again. */
export const maxBatchBytes = segmentBytes;

export const segmentCount = (imageBytes: number): number => Math.ceil(imageBytes / segmentBytes);
/** The last segment ends with the image. */
export const segmentLength = (imageBytes: number, segment: number): number =>
  Math.min(segmentBytes, imageBytes - segment * segmentBytes);
/** From one segment up to another, which is not counted. */
export const segmentsLength = (imageBytes: number, from: number, to: number): number =>
  Math.min(to * segmentBytes, imageBytes) - from * segmentBytes;
/** Whether an image of this size can be described: whole blocks, not empty, not above the limit. */
export const isImageSize = (imageBytes: number): boolean =>
  Number.isSafeInteger(imageBytes) && imageBytes > 0 && imageBytes <= maxImageBytes && imageBytes % blockBytes === 0;
/** Units of the any-source files. 16 KiB made 1 % more of a moved ext4 and 25 % more of a moved erofs, 4 KiB no less. */
export const unitBytes = 8 * 1024;
/** What a unit may refer to of its segment, before it: all of it gave 1 % less, and took twice the time to publish. */
export const unitContextBytes = 64 * 1024;
export const maxUnitCompressedBytes = unitBytes + 64;
/** A larger image is not located: the tables for it would be larger than all else that an update keeps in memory. */
export const maxLocatedBytes = 4 * 1024 * 1024 * 1024;
