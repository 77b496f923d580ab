/** The bundles that were last accepted, kept so that a restart puts them in force again without asking anybody. */
import { concat, equalBytes } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import { type ManagedClass, managedClasses, type SignedBundle } from './bundles.ts';

export interface Shelf {
  /** Before anything of it is applied: a cut in between must not leave the hands above everything that is kept. */
  begin(bundle: SignedBundle): Result<void>;
  /** In force, in place of the one before. */
  keep(bundle: SignedBundle): Result<void>;
  /** In the order in which they are applied: for each class the one that was begun last, then the one kept before it. */
  kept(): Result<readonly (readonly ShelvedBundle[])[]>;
}

export interface ShelvedBundle extends SignedBundle {
  /** All of it once held; otherwise a cut may have come in between. */
  readonly wasInForce: boolean;
}

const signerBytes = 16;

/** A value is the signer's 16 bytes, then the payload. */
export const shelf = (store: DurableStore): Shelf => {
  const put = (key: string, { payload, signer }: SignedBundle) => store.put(key, concat(signer, payload));
  return {
    begin: (bundle) => put(`bundle-${bundle.kind}-begun`, bundle),
    keep: (bundle) => put(`bundle-${bundle.kind}`, bundle),
    kept() {
      const classes: (readonly ShelvedBundle[])[] = [];
      for (const kind of managedClasses) {
        const found = read(store, kind);
        if (!found.ok) return found;
        classes.push(found.value);
      }
      return ok(classes);
    },
  };
};

const read = (store: DurableStore, kind: ManagedClass): Result<readonly ShelvedBundle[]> => {
  const begun = store.get(`bundle-${kind}-begun`);
  const kept = store.get(`bundle-${kind}`);
  if (!begun.ok) return begun;
  if (!kept.ok) return kept;
  const isSame = begun.value !== undefined && kept.value !== undefined && equalBytes(begun.value, kept.value);
  return ok([
    ...(begun.value === undefined || isSame ? [] : [{ ...bundleOf(kind, begun.value), wasInForce: false }]),
    ...(kept.value === undefined ? [] : [{ ...bundleOf(kind, kept.value), wasInForce: true }]),
  ]);
};

const bundleOf = (kind: ManagedClass, stored: Uint8Array): SignedBundle => ({
  kind,
  signer: stored.slice(0, signerBytes),
  payload: stored.slice(signerBytes),
});
