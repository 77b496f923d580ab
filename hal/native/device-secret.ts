/**
 * The device's one secret: 32 random bytes, sealed by the TPM under its storage root, with the audit counter's value at
 * provisioning beside it. Everything else is derived from it; it is in memory only while something is.
 *
 * Limit: sealed to this TPM, not to what it booted; where the data partition is (`boot-seal.ts`), it lies in that.
 */
import { concat, fixedCopy, u64be, wipe } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { sealedTemplate } from '#hal/tpm/templates';
import { contentOf } from '#hal/tpm/wire';
import { splitAreas } from './areas.ts';
import { handles } from './commands.ts';
import { encryptedSession } from './encrypted-session.ts';
import type { Esys } from './esys.ts';
import { persistent } from './layout.ts';
import { sealUnder } from './seal.ts';
import { tpmResult } from './tpm-error.ts';
import { transientScope } from './transient.ts';

export interface DeviceSecret {
  /** 32 bytes; wipe after use. */
  readonly secret: Uint8Array;
  readonly counterBase: number;
}

/** TPM2B_PRIVATE and TPM2B_PUBLIC, one after the other, as they lie on disk. */
export type SealedSecret = Uint8Array;

const secretBytes = 32;

/** @returns the sealed form, or `unavailable/tpm-failed` */
export const sealSecret = async (esys: Esys, { secret, counterBase }: DeviceSecret): Promise<Result<SealedSecret>> => {
  const plain = concat(secret, u64be(counterBase));
  const nothing = new Uint8Array();
  try {
    const parent = esys.handleOf(persistent.storageRoot, []);
    return await tpmResult(parent.then((root) => sealUnder(esys, root, sealedTemplate(nothing), plain, nothing)));
  } finally {
    wipe(plain);
  }
};

/** @returns the secret, or `unavailable/tpm-failed` (also for a secret that another TPM sealed), `unavailable/not-provisioned` */
export const unsealSecret = async (esys: Esys, sealed: SealedSecret): Promise<Result<DeviceSecret>> => {
  const areas = splitAreas(sealed);
  if (areas === undefined) return deny('unavailable', 'not-provisioned', 'sealed secret');
  const plain = await tpmResult(
    (async () => {
      const parent = await esys.handleOf(persistent.storageRoot, []);
      await using scope = await transientScope(esys);
      const object = scope.keep(await esys.load(parent, [handles.password], areas.privateArea, areas.publicArea));
      const session = scope.keep(await encryptedSession(esys, parent, 'encrypt'));
      return await esys.unseal(object, [session]);
    })(),
  );
  if (!plain.ok) return plain;
  const content = contentOf(plain.value);
  wipe(plain.value);
  if (content.length !== secretBytes + 8) return deny('unavailable', 'not-provisioned', 'sealed secret of another size');
  const counterBase = Number(new DataView(content.buffer, content.byteOffset).getBigUint64(secretBytes));
  const secret = fixedCopy(content.subarray(0, secretBytes));
  wipe(content);
  return ok({ secret, counterBase });
};
