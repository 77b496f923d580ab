/** What a TPM or the TPM software stack answers instead of a result. */
import { deny, type Failure, ok, type Result } from '#hal/core/result';

/** Commands reject with this; `rc` is the TPM_RC (Part 2 §6.6) or, with a layer in bits 16 to 23, the TSS2_RC. */
export interface TpmError extends Error {
  readonly name: 'TpmError';
  readonly rc: number;
}

/** TSS2_TCTI_RC_TRY_AGAIN, from the addon: its queue is full. */
export const queueFullRc = 0x000a0009;
/** TSS2_TCTI_RC_NO_CONNECTION: not opened, closed, or the far end is gone. */
export const noConnectionRc = 0x000a0008;

export const isTpmError = (error: unknown): error is TpmError =>
  error instanceof Error && error.name === 'TpmError' && 'rc' in error && typeof error.rc === 'number';

/** TSS2_TCTI_RC_IO_ERROR: the far end went while it was asked. */
export const transportFailedRc = 0x000a000a;

/** TSS2_ESYS_RC_MALFORMED_RESPONSE: as ESYS answers by itself, where it can tell. */
const malformedResponseRc = 0x00070011;

/** An answer that the command cannot give, of a TPM or of whoever sits on its bus: as a refusal of the TPM. */
export const oddAnswer = (what: string): never => {
  throw Object.assign(new Error(`the TPM answered oddly: ${what}`), { name: 'TpmError', rc: malformedResponseRc });
};

/** What some codes are called; every other one is `unavailable/tpm-failed`. TPM_RC of Part 2 §6.6.3. */
const refusals: ReadonlyMap<number, (detail: string) => Failure> = new Map([
  [queueFullRc, (detail) => deny('resource', 'queue-full', detail)],
  [noConnectionRc, (detail) => deny('unavailable', 'tpm-missing', detail)],
  [transportFailedRc, (detail) => deny('unavailable', 'tpm-missing', detail)],
  /** TPM_RC_LOCKOUT. */
  [0x921, (detail) => deny('unavailable', 'tpm-locked-out', detail)],
  /** TPM_RC_NV_SPACE. */
  [0x14b, (detail) => deny('resource', 'tpm-full', detail)],
]);

/**
 * The value of commands, or why there is none. Malformed arguments are a programmer's error and still throw.
 * @returns the value; `resource/queue-full`, `resource/tpm-full`, `unavailable/tpm-missing`, `unavailable/tpm-locked-out`, or
 *   `unavailable/tpm-failed`, each with the code in hexadecimal and its text
 */
export const tpmResult = async <T>(commands: Promise<T>): Promise<Result<T>> => {
  try {
    return ok(await commands);
  } catch (error) {
    if (!isTpmError(error)) throw error;
    const detail = `${error.message} (0x${error.rc.toString(16).padStart(3, '0')})`;
    return refusals.get(error.rc)?.(detail) ?? deny('unavailable', 'tpm-failed', detail);
  }
};
