/** A few small values that must survive a power cut: whole, or as they were before. */
import type { Result } from '#hal/core/result';

export interface DurableStore {
  /** @returns the value, undefined where there is none, or `unavailable/storage-failed` */
  get(key: string): Result<Uint8Array | undefined>;
  /** Durable before it returns. */
  put(key: string, value: Uint8Array): Result<void>;
  /** Once it is done, what was overwritten before is in none of the store's files. `unavailable/storage-failed` where it may be. */
  scrub(): Result<void>;
  close(): void;
}
