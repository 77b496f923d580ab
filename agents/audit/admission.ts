/**
 * Which records are let in (SR-14): a token bucket for each source, and repeats of one refusal folded into a count.
 *
 * Who calls from outside has a rate at which a year of flooding does not fill the log; refusals have a bucket of their
 * own, one for each person, so that no flood keeps a person's refusal out. Privileged records ask no bucket.
 */
import { toHex } from '#hal/core/bytes';
import { codeOf } from '#hal/core/result';
import { type Rate, type TokenBucket, tokenBucket } from '#hal/core/token-bucket';
import type { Clock } from '#hal/ports/clock';
import type { AuditEntry } from './entry.ts';

/** What the mind does by itself: against its own mistakes. */
const own = 'mind';
const ownRate: Rate = { burst: 200, perSecond: 20 };
/** What somebody asked of it: a busy hour at once, and 1440 records a day for ever. */
const askedRate: Rate = { burst: 2_000, perSecond: 1 / 60 };
/** How many records a source may have at once. */
export const askedBurst = askedRate.burst;
const maxSources = 64;
/** A refusal that is repeated is counted, and the count written at the end of each window; each is twice as long as the one before. */
const firstWindowMs = 60_000;
const maxWindowMs = 60 * 60_000;
const maxFolded = 256;

export interface Admission {
  /** Takes one token for this entry; false when its source has none left. */
  admits(entry: AuditEntry): boolean;
}

export const admission = (clock: Clock): Admission => {
  const buckets = new Map<string, TokenBucket>();
  return {
    admits(entry) {
      const { source = own, outcome, actor } = entry;
      const key = outcome === 'denied' ? [source, 'denied', actor && toHex(actor)].join(' ') : source;
      const bucket = buckets.get(key) ?? tokenBucket(clock, source === own ? ownRate : askedRate);
      buckets.delete(key);
      if (buckets.size >= maxSources) buckets.delete(buckets.keys().next().value as string);
      buckets.set(key, bucket);
      return bucket.take();
    },
  };
};

interface Fold<T> {
  readonly first: T;
  sinceMs: number;
  windowMs: number;
  repeats: number;
}

/** A refusal that was written, and how often it was repeated in a window that has ended. */
export interface Repeated<T> {
  readonly first: T;
  readonly repeats: number;
}

export interface DenialFolder<T> {
  /** The earlier identical denial, now counted once more; undefined when this one must be written. */
  fold(entry: AuditEntry): T | undefined;
  remember(entry: AuditEntry, first: T): void;
  /** Windows that ended (or all of them) and had repeats. */
  takeEnded(all: boolean): readonly Repeated<T>[];
}

export const denialFolder = <T>(clock: Clock): DenialFolder<T> => {
  const folds = new Map<string, Fold<T>>();
  const ended: Repeated<T>[] = [];
  const close = (fold: Fold<T>) => {
    if (fold.repeats > 0) ended.push({ first: fold.first, repeats: fold.repeats });
  };
  /** At the end of a window: one without repeats is forgotten, any other goes on in a longer one. */
  const roll = (key: string, fold: Fold<T>) => {
    if (clock.bootMs() - fold.sinceMs <= fold.windowMs) return;
    close(fold);
    if (fold.repeats === 0) folds.delete(key);
    fold.sinceMs = clock.bootMs();
    fold.windowMs = Math.min(fold.windowMs * 2, maxWindowMs);
    fold.repeats = 0;
  };
  return {
    fold(entry) {
      const key = keyOf(entry);
      const known = key === undefined ? undefined : folds.get(key);
      if (key === undefined || known === undefined) return undefined;
      roll(key, known);
      const fold = folds.get(key);
      if (fold !== undefined) fold.repeats += 1;
      return fold?.first;
    },
    remember(entry, first) {
      const key = keyOf(entry);
      if (key === undefined) return;
      const [oldest] = folds;
      if (folds.size >= maxFolded && oldest !== undefined) {
        folds.delete(oldest[0]);
        close(oldest[1]);
      }
      folds.set(key, { first, sinceMs: clock.bootMs(), windowMs: firstWindowMs, repeats: 0 });
    },
    takeEnded(all) {
      for (const [key, fold] of [...folds]) {
        if (all) close(fold);
        else roll(key, fold);
      }
      if (all) folds.clear();
      return ended.splice(0);
    },
  };
};

/** Equal for what is the same refusal; undefined for what is none. */
const keyOf = ({ event, outcome, fault, action, resource, actor, source = own }: AuditEntry): string | undefined =>
  outcome === 'denied' ? [source, event, fault && codeOf(fault), action, resource, actor && toHex(actor)].join(' ') : undefined;
