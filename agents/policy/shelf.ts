/** The bundles that were last accepted, kept so that a restart puts them in force again without asking anybody. */
import { concat } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import { type ManagedClass, managedClasses, type SignedBundle } from './bundles.ts';

export interface Shelf {
  keep(bundle: SignedBundle): Result<void>;
  /** In the order in which they are applied. */
  kept(): Result<readonly SignedBundle[]>;
}

const signerBytes = 16;

/** A value is the signer's 16 bytes, then the payload. */
export const shelf = (store: DurableStore): Shelf => ({
  keep: ({ kind, payload, signer }) => store.put(keyOf(kind), concat(signer, payload)),
  kept() {
    const bundles: SignedBundle[] = [];
    for (const kind of managedClasses) {
      const stored = store.get(keyOf(kind));
      if (!stored.ok) return stored;
      if (stored.value !== undefined)
        bundles.push({ kind, signer: stored.value.slice(0, signerBytes), payload: stored.value.slice(signerBytes) });
    }
    return ok(bundles);
  },
});

const keyOf = (kind: ManagedClass): string => `bundle-${kind}`;
