/**
 * How a segment differs from its dictionary, in the steps of `delta.ts`. For the publisher only; a bad answer makes a larger
 * update, never a wrong one.
 *
 * The scan is that of C. Percival, "Naive Differences of Executable Code" (2003): go on along the present alignment until
 * another one explains clearly more, then stretch both towards each other for as long as most bytes agree. Exact matches
 * are looked up by their first bytes instead of in a suffix array.
 */
import { releaseMemory } from '#hal/core/release-memory';
import type { Delta, Step } from './delta.ts';

/** Bytes by which another alignment must be better. */
const betterBy = 8;
const keyBytes = 8;
const tableBits = 18;
/** Places with the same key that are tried. */
const maxTries = 128;

export const difference = (target: Uint8Array, source: Uint8Array): Delta => {
  const { search, release } = matcher(target, source);
  const agrees = (at: number, offset: number): boolean => {
    const place = at + offset;
    return place >= 0 && place < source.length && source[place] === target[at];
  };
  const steps: Step[] = [];
  const gaps: number[] = [];
  const changes: number[] = [];
  const inserts: Uint8Array[] = [];
  let gap = 0;
  /** What is not yet written: from here on, by this alignment. */
  let start = 0;
  let offset = 0;

  const write = (end: number, nextOffset: number, nextStart: number): void => {
    for (let at = start; at < end; at += 1) {
      const change = ((target[at] as number) - (source[at + offset] as number)) & 255;
      if (change === 0) gap += 1;
      else {
        gaps.push(gap);
        changes.push(change);
        gap = 0;
      }
    }
    inserts.push(target.subarray(end, nextStart));
    const isLast = nextStart === target.length;
    const seek = isLast ? 0 : nextStart + nextOffset - (end + offset);
    steps.push({ copied: end - start, inserted: nextStart - end, seek });
    start = nextStart;
    offset = nextOffset;
  };

  for (let scan = 0; scan < target.length; ) {
    const found = nextAlignment(target.length, scan, offset, search, agrees);
    const end = start + forward(start, found.at, offset, source.length, agrees);
    if (found.at === target.length) {
      write(end, offset, target.length);
      break;
    }
    const nextStart = found.at - backward(found.at, start, found.offset, agrees);
    const border = end > nextStart ? division(nextStart, end, offset, found.offset, agrees) : undefined;
    write(border ?? end, found.offset, border ?? nextStart);
    scan = found.at + found.length;
  }
  if (start < target.length) write(start + forward(start, target.length, offset, source.length, agrees), offset, target.length);
  release();
  return { steps, gaps, changes: Uint8Array.from(changes), inserts: joined(inserts) };
};

type Agrees = (at: number, offset: number) => boolean;
interface Match {
  readonly length: number;
  readonly offset: number;
}
type Search = (at: number, offset: number) => Match;

/** Where an alignment begins that explains more than the present one does; the end, where none comes. */
const nextAlignment = (
  targetBytes: number,
  from: number,
  offset: number,
  search: Search,
  agrees: Agrees,
): Match & { readonly at: number } => {
  let counted = from;
  let agreeing = 0;
  for (let at = from; at < targetBytes; ) {
    const match = search(at, offset);
    for (; counted < at + match.length; counted += 1) if (agrees(counted, offset)) agreeing += 1;
    if (match.length === agreeing && match.length > 0) {
      // The present alignment explains it all.
      at += match.length;
      counted = at;
      agreeing = 0;
    } else if (match.length > agreeing + betterBy) return { ...match, at };
    else {
      if (agrees(at, offset) && counted > at) agreeing -= 1;
      at += 1;
      counted = Math.max(counted, at);
    }
  }
  return { at: targetBytes, length: 0, offset };
};

/** Bytes from `start` on, at most up to `limit`, of which most agree. */
const forward = (start: number, limit: number, offset: number, sourceBytes: number, agrees: Agrees): number => {
  let agreeing = 0;
  let best = { score: 0, length: 0 };
  for (let length = 1; start + length <= limit && start + offset + length <= sourceBytes; length += 1) {
    if (agrees(start + length - 1, offset)) agreeing += 1;
    if (agreeing * 2 - length > best.score) best = { score: agreeing * 2 - length, length };
  }
  return best.length;
};

/** Bytes before `at`, down to `limit`. */
const backward = (at: number, limit: number, offset: number, agrees: Agrees): number => {
  let agreeing = 0;
  let best = { score: 0, length: 0 };
  for (let length = 1; at - length >= limit && at - length + offset >= 0; length += 1) {
    if (agrees(at - length, offset)) agreeing += 1;
    if (agreeing * 2 - length > best.score) best = { score: agreeing * 2 - length, length };
  }
  return best.length;
};

/** Where two alignments overlap: before the place that is returned the first is better, behind it the second. */
const division = (from: number, to: number, first: number, second: number, agrees: Agrees): number => {
  let score = 0;
  let best = { score: 0, at: from };
  for (let at = from; at < to; at += 1) {
    score += Number(agrees(at, first)) - Number(agrees(at, second));
    if (score > best.score) best = { score, at: at + 1 };
  }
  return best.at;
};

/**
 * Longest equal run at a place of the target: of the present alignment, or of places that begin with the same bytes.
 * @returns the search, and what gives its tables back: 3 MiB for each segment would gather until the engine collects them
 */
const matcher = (target: Uint8Array, source: Uint8Array): { readonly search: Search; readonly release: () => void } => {
  const heads = new Int32Array(1 << tableBits).fill(-1);
  const next = new Int32Array(source.length).fill(-1);
  for (let at = source.length - keyBytes; at >= 0; at -= 1) {
    const key = keyAt(source, at);
    next[at] = heads[key] as number;
    heads[key] = at;
  }
  const run = (at: number, place: number): number => {
    const most = Math.min(target.length - at, source.length - place);
    let length = 0;
    while (length < most && target[at + length] === source[place + length]) length += 1;
    return length;
  };
  const search: Search = (at, offset) => {
    const present = at + offset;
    let best: Match = { length: present >= 0 && present < source.length ? run(at, present) : 0, offset };
    if (at + keyBytes > target.length) return best;
    let place = heads[keyAt(target, at)] as number;
    for (let tries = 0; place >= 0 && tries < maxTries; tries += 1) {
      const length = run(at, place);
      if (length > best.length) best = { length, offset: place - at };
      place = next[place] as number;
    }
    return best;
  };
  const release = () => {
    for (const table of [heads, next]) releaseMemory(new Uint8Array(table.buffer));
  };
  return { search, release };
};

/** FNV-1a, folded. */
const keyAt = (bytes: Uint8Array, from: number): number => {
  let key = 0x811c9dc5;
  for (let at = from; at < from + keyBytes; at += 1) key = Math.imul(key ^ (bytes[at] as number), 0x01000193);
  return (key ^ (key >>> tableBits)) & ((1 << tableBits) - 1);
};

const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
