/**
 * The device's one secret: 32 random bytes, sealed by the TPM under its storage root, with the audit counter's value at
 * provisioning beside it. Everything else is derived from it; it is in memory only while something is.
 *
 * Limit: sealed to this TPM, not yet to what it booted: that policy comes with the machine that has a boot to seal to.
 */
import { concat, fixedCopy, u64be, wipe } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { alg } from '#hal/tpm/constants';
import { encodePublic, tpm2b } from '#hal/tpm/public';
import { sealedTemplate } from '#hal/tpm/templates';
import { aes128Cfb, contentOf, empty2b, noPcrs, sensitiveCreate, sessionAttribute } from '#hal/tpm/wire';
import { joinAreas, splitAreas } from './areas.ts';
import { handles } from './commands.ts';
import type { Esys } from './esys.ts';
import { persistent } from './layout.ts';
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
export const sealSecret = (esys: Esys, { secret, counterBase }: DeviceSecret): Promise<Result<SealedSecret>> =>
  tpmResult(
    (async () => {
      const parent = await esys.handleOf(persistent.storageRoot, []);
      const plain = concat(secret, u64be(counterBase));
      const sensitive = sensitiveCreate(new Uint8Array(), plain);
      try {
        await using scope = await transientScope(esys);
        const session = scope.keep(await encryptedSession(esys, parent, sessionAttribute.decrypt));
        const template = tpm2b(encodePublic(sealedTemplate(new Uint8Array())));
        const [privateArea, publicArea] = await esys.create(
          parent,
          [handles.password, session],
          sensitive,
          template,
          empty2b,
          noPcrs,
        );
        return joinAreas({ privateArea, publicArea });
      } finally {
        wipe(plain, sensitive);
      }
    })(),
  );

/** @returns the secret, or `unavailable/tpm-failed` (also for a secret that another TPM sealed), `unavailable/not-provisioned` */
export const unsealSecret = async (esys: Esys, sealed: SealedSecret): Promise<Result<DeviceSecret>> => {
  const areas = splitAreas(sealed);
  if (areas === undefined) return deny('unavailable', 'not-provisioned', 'sealed secret');
  const plain = await tpmResult(
    (async () => {
      const parent = await esys.handleOf(persistent.storageRoot, []);
      await using scope = await transientScope(esys);
      const object = scope.keep(await esys.load(parent, [handles.password], areas.privateArea, areas.publicArea));
      const session = scope.keep(await encryptedSession(esys, parent, sessionAttribute.encrypt));
      return esys.unseal(object, [session]);
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

/**
 * A session salted with the storage root, so that the secret does not cross the bus in clear (Part 1 §19.6.8, §21).
 * @param direction which parameter is encrypted: `decrypt` what we send, `encrypt` what comes back
 */
const encryptedSession = async (esys: Esys, storageRoot: number, direction: number): Promise<number> => {
  const session = await esys.startAuthSession(storageRoot, handles.none, [], null, 0, aes128Cfb, alg.sha256);
  const attributes = sessionAttribute.continueSession | direction;
  await esys.setSessionAttributes(session, attributes, 0xff);
  return session;
};
