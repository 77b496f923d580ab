/** An object that a TPM wrapped, as it lies on disk: TPM2B_PRIVATE and TPM2B_PUBLIC, one after the other. */
import { concat, equalBytes } from '#hal/core/bytes';
import { encodePublic, parsePublic, tpm2b } from '#hal/tpm/public';

/** What TPM2_Load takes. */
export interface WrappedAreas {
  readonly privateArea: Uint8Array;
  readonly publicArea: Uint8Array;
}

/** Of a key of RSA it has some 700 bytes, of ours about 200; more than the stack's TPM2B_PRIVATE takes is never asked of it. */
export const maxPrivateBytes = 1024;
const maxPublicBytes = 1024;

export const joinAreas = ({ privateArea, publicArea }: WrappedAreas): Uint8Array => concat(privateArea, publicArea);

/**
 * Undefined for bytes that are no such pair, so that a spoilt file is never a malformed command; whether the TPM takes them is
 * the TPM's answer.
 */
export const splitAreas = (bytes: Uint8Array): WrappedAreas | undefined => {
  if (bytes.length < 4 || bytes.length > 4 + maxPrivateBytes + maxPublicBytes) return undefined;
  const privateBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0);
  if (privateBytes > maxPrivateBytes || privateBytes + 4 > bytes.length) return undefined;
  const privateArea = bytes.subarray(0, 2 + privateBytes);
  const publicArea = bytes.subarray(2 + privateBytes);
  const parsed = parsePublic(publicArea.subarray(2));
  return parsed.ok && equalBytes(tpm2b(encodePublic(parsed.value)), publicArea) ? { privateArea, publicArea } : undefined;
};
