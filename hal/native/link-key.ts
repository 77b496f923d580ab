/**
 * The key of the TLS link: made by the TPM under its storage root, unrestricted so that a TLS stack can use it, and for
 * that reason trusted for the link and for nothing else (SR-02).
 */
import type { Result } from '#hal/core/result';
import { encodePublic, tpm2b } from '#hal/tpm/public';
import { linkTemplate } from '#hal/tpm/templates';
import { empty2b, noPcrs, sensitiveCreate } from '#hal/tpm/wire';
import type { WrappedAreas } from './areas.ts';
import { handles } from './commands.ts';
import type { Esys } from './esys.ts';
import { persistent } from './layout.ts';
import { tpmResult } from './tpm-error.ts';
import { transientScope } from './transient.ts';

/** @returns the key, wrapped by this TPM, or `unavailable/tpm-failed` */
export const createLinkKey = (esys: Esys): Promise<Result<WrappedAreas>> =>
  tpmResult(
    (async () => {
      const parent = await esys.handleOf(persistent.storageRoot, []);
      const nothing = sensitiveCreate(new Uint8Array(), new Uint8Array());
      const [privateArea, publicArea] = await esys.create(
        parent,
        [handles.password],
        nothing,
        tpm2b(encodePublic(linkTemplate)),
        empty2b,
        noPcrs,
      );
      return { privateArea: new Uint8Array(privateArea), publicArea: new Uint8Array(publicArea) };
    })(),
  );

/** Whether this TPM made it. */
export const holdsLinkKey = async (esys: Esys, { privateArea, publicArea }: WrappedAreas): Promise<boolean> => {
  const loaded = await tpmResult(
    (async () => {
      const parent = await esys.handleOf(persistent.storageRoot, []);
      await using scope = await transientScope(esys);
      scope.keep(await esys.load(parent, [handles.password], privateArea, publicArea));
    })(),
  );
  return loaded.ok;
};
