import { done, ok } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';

/** Keeps its values as long as `kept` is kept: a new store over the same map is the same disk after a restart. */
export const memoryStore = (kept = new Map<string, Uint8Array>()): DurableStore => ({
  get: (key) => ok(kept.get(key)?.slice()),
  put: (key, value) => {
    kept.set(key, value.slice());
    return done;
  },
  scrub: () => done,
  close: () => undefined,
});
