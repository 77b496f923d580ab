/**
 * A TPM has room for three transient objects and few sessions: whoever makes one flushes it, on every path, and nobody
 * else makes one meanwhile.
 */
import type { EsysHandle } from './commands.ts';
import type { Esys } from './esys.ts';
import { isTpmError } from './tpm-error.ts';

export interface TransientScope extends AsyncDisposable {
  /** Flush this object or session when the scope ends. @returns the same handle */
  keep(handle: EsysHandle): EsysHandle;
}

/** The end of the last scope that was asked for, of each TPM. */
const lastScopes = new WeakMap<Esys, Promise<void>>();

/**
 * ```ts
 * await using scope = await transientScope(esys);
 * const session = scope.keep(await esys.startAuthSession(…));
 * ```
 * Waits for the scope before it on the same TPM: two at once would not fit into it. Never open one inside another.
 * Flushes in reverse order. What the TPM refuses to flush it does not hold any more (a policy session that was used up,
 * a TPM that was reset or closed), so that is no error.
 */
export const transientScope = async (esys: Esys): Promise<TransientScope> => {
  const before = lastScopes.get(esys);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  lastScopes.set(esys, ended);
  await before;
  const kept: EsysHandle[] = [];
  return {
    keep: (handle) => {
      kept.push(handle);
      return handle;
    },
    [Symbol.asyncDispose]: async () => {
      try {
        for (const handle of kept.splice(0).reverse())
          await esys.flushContext(handle).catch((error: unknown) => {
            if (!isTpmError(error)) throw error;
          });
      } finally {
        end();
      }
    },
  };
};
