/** What a TPM's maker does before anybody sees it: an endorsement certificate in the TPM's own memory. */
import { ok, type Result } from '#hal/core/result';
import { handles } from '#hal/native/commands';
import type { Esys } from '#hal/native/esys';
import { nvIndex } from '#hal/native/layout';
import { createEndorsementKey, readNv } from '#hal/native/tpm';
import { tpmResult } from '#hal/native/tpm-error';
import { transientScope } from '#hal/native/transient';
import { nvAttribute } from '#hal/tpm/constants';
import { tpm2b } from '#hal/tpm/public';
import { empty2b, nvPublic } from '#hal/tpm/wire';

const password = [handles.password] as const;
const maxWriteBytes = 512;

/** @param certify issues a certificate (DER) for an endorsement public area (TPMT_PUBLIC) */
export const manufactureTpm = async (
  esys: Esys,
  certify: (endorsementPublic: Uint8Array) => Promise<Uint8Array>,
): Promise<Result<void>> => {
  const present = await tpmResult(readNv(esys, nvIndex.endorsementCertificate));
  if (!present.ok) return present;
  if (present.value !== undefined) return ok(undefined);
  return tpmResult(
    (async () => {
      await using scope = await transientScope(esys);
      const { publicArea } = await createEndorsementKey(esys, scope);
      const certificate = await certify(publicArea);
      const attributes = nvAttribute.ownerWrite | nvAttribute.ownerRead | nvAttribute.authRead | nvAttribute.noDa;
      const index = await esys.nvDefineSpace(
        handles.owner,
        password,
        empty2b,
        nvPublic(nvIndex.endorsementCertificate, attributes, certificate.length),
      );
      for (let offset = 0; offset < certificate.length; offset += maxWriteBytes)
        await esys.nvWrite(handles.owner, index, password, tpm2b(certificate.subarray(offset, offset + maxWriteBytes)), offset);
    })(),
  );
};
