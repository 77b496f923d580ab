/**
 * What firmware and a resource manager do to a TPM below any software stack.
 *
 * Raw, because Esys_Startup calls an already started TPM a success (tpm2-tss 3.2.1), and because handles of another
 * client are none of an ESYS context's own.
 */
import { concat, u16be, u32be } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { Esys } from '#hal/native/esys';
import { tpmResult } from '#hal/native/tpm-error';
import { responseCode, structureTag } from '#hal/tpm/constants';

/** TPM_CC, TPM 2.0 Part 2 §6.5.2. */
const command = { startup: 0x144, flushContext: 0x165, getCapability: 0x17a } as const;
/** TPM_CAP_HANDLES, Part 2 §6.12. */
const capabilityHandles = 1;
/** First handles of what does not survive its user: loaded sessions, saved sessions, transient objects (Part 2 §7.2). */
const leftovers = [0x02000000, 0x03000000, 0x80000000] as const;
const mostHandles = 254;
/** Response header; then of TPM2_GetCapability: moreData(1), capability(4), count(4), handles(4 each). */
const headerBytes = 10;
const handlesOffset = headerBytes + 9;

/** TPM2_Startup(CLEAR). @returns whether this call started the TPM; false where it was started before */
export const startTpm = async (esys: Esys): Promise<Result<boolean>> => {
  const answered = await send(esys, command.startup, u16be(0));
  if (!answered.ok) return answered;
  const code = codeOfResponse(answered.value);
  if (code === 0 || code === responseCode.initialize) return ok(code === 0);
  return deny('unavailable', 'tpm-failed', `startup: ${code}`);
};

/** Flushes whatever a client that is gone left loaded, as /dev/tpmrm0 does when it is closed. */
export const flushLeftovers = async (esys: Esys): Promise<Result<void>> => {
  for (const first of leftovers) {
    const request = concat(u32be(capabilityHandles), u32be(first), u32be(mostHandles));
    const listed = await send(esys, command.getCapability, request);
    if (!listed.ok) return listed;
    if (codeOfResponse(listed.value) !== 0) return deny('unavailable', 'tpm-failed', 'handles');
    for (let offset = handlesOffset; offset + 4 <= listed.value.length; offset += 4) {
      const flushed = await send(esys, command.flushContext, listed.value.subarray(offset, offset + 4));
      if (!flushed.ok) return flushed;
    }
  }
  return ok(undefined);
};

const send = (esys: Esys, code: number, parameters: Uint8Array): Promise<Result<Uint8Array>> =>
  tpmResult(
    esys.transmit(concat(u16be(structureTag.nullSession), u32be(headerBytes + parameters.length), u32be(code), parameters)),
  );

const codeOfResponse = (response: Uint8Array): number =>
  new DataView(response.buffer, response.byteOffset, response.byteLength).getUint32(6);
