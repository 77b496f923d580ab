/** Secrets under a PIN in the TPM of this machine, which is open for one operation at a time and no longer. */
import { statSync } from 'node:fs';
import { attempt, deny, done, type Result } from '#hal/core/result';
import type { PinVault } from '#hal/ports/pin-vault';
import { type DeviceOptions, type Esys, openEsys } from './esys.ts';
import { sealWithPin, unsealWithPin } from './pin-seal.ts';

/** @param pin 1 to 255 bytes */
export const tpmVault = (options: DeviceOptions, pin: Uint8Array): PinVault => {
  const withTpm = async <T>(use: (esys: Esys) => Promise<Result<T>>): Promise<Result<T>> => {
    const found = checkIsDevice(options.device);
    if (!found.ok) return found;
    const opened = await openEsys(options);
    if (!opened.ok) return opened;
    await using esys = opened.value;
    return await use(esys);
  };
  return {
    seal: (secret) => withTpm((esys) => sealWithPin(esys, secret, pin)),
    open: (sealed) => withTpm((esys) => unsealWithPin(esys, sealed, pin)),
  };
};

/** What is sent to a TPM would be written over a file that was named by mistake. */
const checkIsDevice = (path: string): Result<void> => {
  const found = attempt(
    () => statSync(path).isCharacterDevice(),
    (cause) => deny('unavailable', 'tpm-missing', cause),
  );
  if (!found.ok) return found;
  return found.value ? done : deny('unavailable', 'tpm-missing', `${path} is no device`);
};
