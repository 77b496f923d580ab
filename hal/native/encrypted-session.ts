/** Sessions that nobody on the bus can read from, or answer in place of the TPM (TPM 2.0 Part 1 §19.6.8, §21). */
import { alg } from '#hal/tpm/constants';
import { aes128Cfb, sessionAttribute } from '#hal/tpm/wire';
import { type EsysHandle, handles } from './commands.ts';
import type { Esys } from './esys.ts';

/** TPM_SE, Part 2 §6.11. */
const sessionType = { hmac: 0, policy: 1 } as const;

/**
 * Salted with the storage root. Flush it.
 * @param direction which parameter is encrypted: `decrypt` what we send, `encrypt` what comes back
 */
export const encryptedSession = async (
  esys: Esys,
  storageRoot: EsysHandle,
  direction: 'decrypt' | 'encrypt',
  type: keyof typeof sessionType = 'hmac',
): Promise<EsysHandle> => {
  const session = await esys.startAuthSession(storageRoot, handles.none, [], null, sessionType[type], aes128Cfb, alg.sha256);
  await esys.setSessionAttributes(session, sessionAttribute.continueSession | sessionAttribute[direction], 0xff);
  return session;
};
