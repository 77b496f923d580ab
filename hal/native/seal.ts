/** Sealing under the storage root: the secret goes to the TPM encrypted (SR-07), and comes back as areas that only it opens. */
import { wipe } from '#hal/core/bytes';
import { encodePublic, type PublicArea, tpm2b } from '#hal/tpm/public';
import { encodedTemplate } from '#hal/tpm/templates';
import { empty2b, noPcrs, sensitiveCreate } from '#hal/tpm/wire';
import { joinAreas } from './areas.ts';
import { type EsysHandle, handles } from './commands.ts';
import { encryptedSession } from './encrypted-session.ts';
import type { Esys } from './esys.ts';
import { persistent } from './layout.ts';
import { exists, makePersistentKey } from './persistent-key.ts';
import { transientScope } from './transient.ts';

/**
 * @param auth what opens it where the template has no policy; empty: nothing
 * @returns TPM2B_PRIVATE and TPM2B_PUBLIC, one after the other
 */
export const sealUnder = async (
  esys: Esys,
  parent: EsysHandle,
  template: PublicArea,
  secret: Uint8Array,
  auth: Uint8Array,
): Promise<Uint8Array> => {
  const sensitive = sensitiveCreate(auth, secret);
  try {
    await using scope = await transientScope(esys);
    const session = scope.keep(await encryptedSession(esys, parent, 'decrypt'));
    const sessions = [handles.password, session];
    const area = tpm2b(encodePublic(template));
    const [privateArea, publicArea] = await esys.create(parent, sessions, sensitive, area, empty2b, noPcrs);
    return joinAreas({ privateArea, publicArea });
  } finally {
    wipe(sensitive);
  }
};

/** Made first where the TPM has none yet. @returns a handle of it */
export const storageRootOf = async (esys: Esys): Promise<EsysHandle> => {
  if (!(await exists(esys, persistent.storageRoot)))
    await makePersistentKey(esys, handles.owner, encodedTemplate.storage, persistent.storageRoot);
  return esys.handleOf(persistent.storageRoot, []);
};
