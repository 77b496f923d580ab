/** Zeros are everywhere in an image, and nothing is made of them. */
import { segmentBytes } from './limits.ts';

const zeros = new Uint8Array(segmentBytes);

/** @param bytes a segment at most */
export const isZeros = (bytes: Uint8Array): boolean => Buffer.compare(bytes, zeros.subarray(0, bytes.length)) === 0;
