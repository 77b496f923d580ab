/** Keys that stay in the TPM: whether one is there, and making it. */
import { tpm2b } from '#hal/tpm/public';
import { empty2b, noPcrs, sensitiveCreate } from '#hal/tpm/wire';
import { type EsysHandle, handles } from './commands.ts';
import type { Esys } from './esys.ts';
import { isAbsent } from './layout.ts';
import { isTpmError } from './tpm-error.ts';
import { transientScope } from './transient.ts';

/** Whether the TPM holds a key or an index under this handle of its own. */
export const exists = async (esys: Esys, tpmHandle: number): Promise<boolean> => {
  try {
    await esys.closeHandle(await esys.handleOf(tpmHandle, []));
    return true;
  } catch (error) {
    if (isTpmError(error) && isAbsent(error.rc)) return false;
    throw error;
  }
};

/** Makes a primary key and leaves it in the TPM. @param template TPMT_PUBLIC */
export const makePersistentKey = async (
  esys: Esys,
  hierarchy: EsysHandle,
  template: Uint8Array,
  handle: number,
): Promise<void> => {
  const password = [handles.password] as const;
  await using scope = await transientScope(esys);
  const nothing = sensitiveCreate(new Uint8Array(), new Uint8Array());
  const [key] = await esys.createPrimary(hierarchy, password, nothing, tpm2b(template), empty2b, noPcrs);
  scope.keep(key);
  await esys.closeHandle(await esys.evictControl(handles.owner, key, password, handle));
};
