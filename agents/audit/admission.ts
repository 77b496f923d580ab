/** Which records are let in: a token bucket for each source, and identical denials folded into one (SR-14). */
import { type Rate, type TokenBucket, tokenBucket } from '#hal/core/token-bucket';
import type { Clock } from '#hal/ports/clock';

const rate: Rate = { burst: 200, perSecond: 20 };
const maxSources = 64;
/** Identical denials within this time of the first are counted, not written one by one. */
const foldMs = 60_000;
const maxFolded = 256;

export interface TokenBuckets {
  /** Takes one token of the source; false when it has none left. */
  take(source: string): boolean;
}

export const tokenBuckets = (clock: Clock): TokenBuckets => {
  const buckets = new Map<string, TokenBucket>();
  return {
    take(source) {
      const bucket = buckets.get(source) ?? tokenBucket(clock, rate);
      buckets.delete(source);
      if (buckets.size >= maxSources) buckets.delete(buckets.keys().next().value as string);
      buckets.set(source, bucket);
      return bucket.take();
    },
  };
};

interface Fold<T> {
  readonly first: T;
  readonly sinceMs: number;
  repeats: number;
}

export interface DenialFolder<T> {
  /** The earlier identical denial, now counted once more; undefined when this one must be written. */
  fold(key: string): T | undefined;
  remember(key: string, first: T): void;
  /** Folds that ended (or all of them) and had repeats. */
  takeEnded(all: boolean): readonly { readonly first: T; readonly repeats: number }[];
}

export const denialFolder = <T>(clock: Clock): DenialFolder<T> => {
  const folds = new Map<string, Fold<T>>();
  const ended: { first: T; repeats: number }[] = [];
  const end = (key: string, fold: Fold<T>) => {
    folds.delete(key);
    if (fold.repeats > 0) ended.push({ first: fold.first, repeats: fold.repeats });
  };
  return {
    fold(key) {
      const fold = folds.get(key);
      if (fold === undefined) return undefined;
      if (clock.bootMs() - fold.sinceMs > foldMs) {
        end(key, fold);
        return undefined;
      }
      fold.repeats += 1;
      return fold.first;
    },
    remember(key, first) {
      const [oldest] = folds;
      if (folds.size >= maxFolded && oldest !== undefined) end(...oldest);
      folds.set(key, { first, sinceMs: clock.bootMs(), repeats: 0 });
    },
    takeEnded(all) {
      for (const [key, fold] of [...folds]) if (all || clock.bootMs() - fold.sinceMs > foldMs) end(key, fold);
      return ended.splice(0);
    },
  };
};
