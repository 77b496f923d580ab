/**
 * Hashed n-grams: runs of one, two and three system calls, each in one of a fixed number of buckets. A single call has
 * a bucket of its own; longer runs share theirs, so that about one in eight that is unknown looks known.
 */
import { windowLimits } from '#hal/ports/signals';

export const bucketCount = 16_384;
const singles = windowLimits.callNumber;
const longest = 3;

/**
 * The buckets that a window fills, each once: how often something was done says less than that it was done, and a
 * window cannot be made to look better by doing more of what is ordinary.
 */
export const bucketsOf = (calls: readonly number[]): ReadonlySet<number> => {
  const buckets = new Set<number>();
  for (let from = 0; from < calls.length; from += 1)
    for (let length = 1; length <= longest && from + length <= calls.length; length += 1)
      buckets.add(bucketOf(calls, from, length));
  return buckets;
};

const bucketOf = (calls: readonly number[], from: number, length: number): number =>
  length === 1 ? Math.min(calls[from] ?? 0, singles - 1) : singles + (hashOf(calls, from, length) % (bucketCount - singles));

/** FNV-1a over the length and the calls, then the finaliser of MurmurHash3: its low bits depend on every input bit. */
const hashOf = (calls: readonly number[], from: number, length: number): number => {
  let hash = (0x811c9dc5 ^ length) >>> 0;
  for (let index = from; index < from + length; index += 1) {
    const call = calls[index] ?? 0;
    hash = Math.imul(hash ^ (call & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (call >>> 8), 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return hash >>> 0;
};
