/** For tests: a device over one TPM, without processes; what provisioning keeps on disk is kept here. */
import { deny, done, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { systemRandom } from '#hal/linux/random';
import type { WrappedAreas } from '#hal/native/areas';
import { sealedDeviceKeys } from '#hal/native/device-keys';
import { unsealSecret } from '#hal/native/device-secret';
import type { Esys } from '#hal/native/esys';
import { esysProvisioning } from '#hal/native/provisioning';
import { esysTpm } from '#hal/native/tpm';
import type { Provisioning } from '#hal/ports/provisioning';

/** The disk of a device. */
export interface Kept {
  sealed?: Uint8Array;
  link?: WrappedAreas;
}

/** @param kept what the disk holds already, of a device that starts again */
export const deviceOver = (esys: Esys, kept: Kept = {}) => {
  const unseal = async () =>
    kept.sealed === undefined ? deny('unavailable', 'not-provisioned') : unsealSecret(esys, kept.sealed);
  const provisioning: Provisioning = esysProvisioning({
    esys,
    crypto: nodeCrypto,
    random: systemRandom,
    unseal,
    saveSecret: (sealed): Result<void> => {
      kept.sealed = sealed;
      return done;
    },
    linkKey: () => kept.link,
    saveLinkKey: (link): Result<void> => {
      kept.link = link;
      return done;
    },
  });
  return { kept, provisioning, unseal, tpm: esysTpm(esys, nodeCrypto, unseal), keys: sealedDeviceKeys(nodeCrypto, unseal) };
};

export const provisionAll = async (provisioning: Provisioning): Promise<void> => {
  for (const { name } of unwrap(await provisioning.inspect())) unwrap(await provisioning.run(name));
};
