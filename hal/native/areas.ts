/** An object that a TPM wrapped, as it lies on disk: TPM2B_PRIVATE and TPM2B_PUBLIC, one after the other. */
import { concat } from '#hal/core/bytes';

/** What TPM2_Load takes. */
export interface WrappedAreas {
  readonly privateArea: Uint8Array;
  readonly publicArea: Uint8Array;
}

const maxBytes = 4096;

export const joinAreas = ({ privateArea, publicArea }: WrappedAreas): Uint8Array => concat(privateArea, publicArea);

/** Undefined for bytes that are no such pair; whether the TPM takes them is the TPM's answer. */
export const splitAreas = (bytes: Uint8Array): WrappedAreas | undefined => {
  if (bytes.length < 4 || bytes.length > maxBytes) return undefined;
  const privateBytes = 2 + new DataView(bytes.buffer, bytes.byteOffset).getUint16(0);
  if (privateBytes + 2 > bytes.length) return undefined;
  return { privateArea: bytes.subarray(0, privateBytes), publicArea: bytes.subarray(privateBytes) };
};
