/** Two releases of one system, of any size, out of a seed: written piece by piece, and like file systems in what the next one changes. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { blockBytes, segmentBytes } from '#ota-client/payload/limits';

const mebibyte = 1024 * 1024;
const segmentBlocks = segmentBytes / blockBytes;

export interface PublishedImages {
  readonly mebibytes: number;
  /** Of this many segments one has content, the others are zeros. */
  readonly oneIn: number;
}

/** @returns paths of the base and of what follows it */
export const writeImages = (folder: string, { mebibytes, oneIn }: PublishedImages): { base: string; target: string } => {
  const paths = { base: join(folder, 'base'), target: join(folder, 'target') };
  const files = { base: openSync(paths.base, 'w'), target: openSync(paths.target, 'w') };
  const count = (mebibytes * mebibyte) / segmentBytes;
  for (let segment = 0; segment < count; segment += 1) {
    const isEmpty = segment % oneIn !== 0;
    const before = isEmpty ? new Uint8Array(segmentBytes) : contentAt(segment * segmentBytes, segmentBytes);
    writeSync(files.base, before);
    writeSync(files.target, isEmpty ? before : changed(before, segment, segment / oneIn));
  }
  for (const file of Object.values(files)) closeSync(file);
  return paths;
};

type Change = (bytes: Uint8Array, segment: number) => Uint8Array;

/** Of each sixteen segments with content: edited in places, moved, a table whose entries all grew, new; the others stay. */
const changes: Readonly<Record<number, Change>> = {
  0: (bytes) => bytes.map((byte, at) => (at % 20_000 === 0 ? byte ^ 0xff : byte)),
  5: (_, segment) => contentAt(segment * segmentBytes + 137, segmentBytes),
  9: (bytes) => bytes.map((byte, at) => (at % 16 === 0 ? (byte + 40) & 255 : byte)),
  13: (_, segment) => contentAt((segment + 1_000_000) * segmentBytes, segmentBytes),
};

const changed = (bytes: Uint8Array, segment: number, written: number): Uint8Array =>
  (changes[written % 16] ?? ((same: Uint8Array) => same))(bytes, segment);

/** What lies at a place of an endless medium. Half of each block says again what the other half says, but for some bytes. */
const contentAt = (offsetBytes: number, lengthBytes: number): Uint8Array => {
  const first = Math.floor(offsetBytes / blockBytes);
  const blocks = new Uint32Array(((segmentBlocks + 1) * blockBytes) / 4);
  for (let block = 0; block <= segmentBlocks; block += 1)
    fillBlock(blocks.subarray(block * 1024, (block + 1) * 1024), first + block);
  const from = offsetBytes - first * blockBytes;
  return new Uint8Array(blocks.buffer, from, lengthBytes);
};

/** Xorshift (G. Marsaglia, 2003): six bits of each byte. */
const fillBlock = (words: Uint32Array, block: number): void => {
  const half = words.length / 2;
  let state = (Math.imul(block + 1, 0x9e3779b1) ^ 0x656e6967) | 1;
  for (let at = 0; at < half; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state & 0x3f3f3f3f;
    words[half + at] = (at & 15) === 0 ? ~state & 0x3f3f3f3f : state & 0x3f3f3f3f;
  }
};
