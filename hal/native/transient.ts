/** A TPM has room for three transient objects and few sessions: whoever makes one flushes it, on every path. */
import type { EsysHandle } from './commands.ts';
import type { Esys } from './esys.ts';
import { isTpmError } from './tpm-error.ts';

export interface TransientScope extends AsyncDisposable {
  /** Flush this object or session when the scope ends. @returns the same handle */
  keep(handle: EsysHandle): EsysHandle;
}

/**
 * ```ts
 * await using scope = transientScope(esys);
 * const session = scope.keep(await esys.startAuthSession(…));
 * ```
 * Flushes in reverse order. What the TPM refuses to flush it does not hold any more (a policy session that was used up,
 * a TPM that was reset or closed), so that is no error.
 */
export const transientScope = (esys: Esys): TransientScope => {
  const kept: EsysHandle[] = [];
  return {
    keep: (handle) => {
      kept.push(handle);
      return handle;
    },
    [Symbol.asyncDispose]: async () => {
      for (const handle of kept.splice(0).reverse())
        await esys.flushContext(handle).catch((error: unknown) => {
          if (!isTpmError(error)) throw error;
        });
    },
  };
};
