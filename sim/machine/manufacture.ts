/** What a TPM's maker does before anybody sees it: which banks it has, and an endorsement certificate in its own memory. */
import { deny, ok, type Result } from '#hal/core/result';
import { handles } from '#hal/native/commands';
import type { Esys } from '#hal/native/esys';
import { nvIndex } from '#hal/native/layout';
import { createEndorsementKey, readNv } from '#hal/native/tpm';
import { tpmResult } from '#hal/native/tpm-error';
import { transientScope } from '#hal/native/transient';
import { encodeSelections } from '#hal/tpm/attest';
import { alg, nvAttribute } from '#hal/tpm/constants';
import { tpm2b } from '#hal/tpm/public';
import { empty2b, nvPublic } from '#hal/tpm/wire';

const password = [handles.password] as const;
const maxWriteBytes = 512;

/**
 * One bank, from the next reset on: one that nobody quotes proves nothing, and is extended with every measurement. It does
 * not make the firmware of the emulator hash less (docs/benchmarks.md).
 */
const banks = encodeSelections([
  ...[alg.sha1, alg.sha384, alg.sha512].map((hash) => ({ hash, pcrs: [] })),
  { hash: alg.sha256, pcrs: Array.from({ length: 24 }, (_, register) => register) },
]);

/** @param certify issues a certificate (DER) for an endorsement public area (TPMT_PUBLIC) */
export const manufactureTpm = async (
  esys: Esys,
  certify: (endorsementPublic: Uint8Array) => Promise<Uint8Array>,
): Promise<Result<void>> => {
  const present = await tpmResult(readNv(esys, nvIndex.endorsementCertificate));
  if (!present.ok) return present;
  if (present.value !== undefined) return ok(undefined);
  const allocated = await tpmResult(esys.pcrAllocate(handles.platform, password, banks));
  if (!allocated.ok) return allocated;
  const [isDone] = allocated.value;
  if (isDone !== 1) return deny('unavailable', 'tpm-failed', 'it keeps the banks that it has');
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
