/** Inputs for a parser: good ones spoilt in some places, cut, joined, and noise. From a seed, so that a number replays each. */

/** Numbers from 0 to below 2^32. */
export type Draw = () => number;

/** xorshift32 (Marsaglia 2003), scrambled by the round, so that every round can be made alone. */
export const drawFrom = (seed: number, round: number): Draw => {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(round + 1, 0xc2b2ae35)) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
};

/** Where lengths, counts and signs turn. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x7b, 0x5b, 0x2c, 0x65] as const;
const mostChanges = 6;
const mostNoise = 300;

/** @param samples good inputs; at least one */
export const mutated = (draw: Draw, samples: readonly Uint8Array[]): Uint8Array => {
  const pick = () => samples[draw() % samples.length] as Uint8Array;
  const way = draw() % 16;
  if (way === 0) return Uint8Array.from({ length: draw() % mostNoise }, () => draw());
  // A copy, which `slice` of a Buffer is not.
  let bytes: Uint8Array = new Uint8Array(pick());
  if (way === 1) bytes = bytes.subarray(0, draw() % (bytes.length + 1));
  if (way === 2) bytes = spliced(draw, bytes, pick());
  if (way === 3) bytes = repeated(draw, bytes);
  for (let change = draw() % mostChanges; change > 0 && bytes.length > 0; change -= 1) {
    const at = draw() % bytes.length;
    const byte = bytes[at] as number;
    const changes = [byte ^ (1 << (draw() % 8)), edges[draw() % edges.length] as number, draw()];
    bytes[at] = changes[draw() % changes.length] as number;
  }
  return bytes;
};

const spliced = (draw: Draw, one: Uint8Array, other: Uint8Array): Uint8Array =>
  new Uint8Array(Buffer.concat([one.subarray(0, draw() % (one.length + 1)), other.subarray(draw() % (other.length + 1))]));

const repeated = (draw: Draw, bytes: Uint8Array): Uint8Array => {
  const start = draw() % (bytes.length + 1);
  const part = bytes.subarray(start, start + (draw() % 200));
  return new Uint8Array(Buffer.concat([bytes.subarray(0, start), part, part, bytes.subarray(start)]));
};
