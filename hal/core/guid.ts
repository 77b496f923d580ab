/** GUIDs in the byte order of UEFI 2.10 appendix A: the first three groups are little-endian. */
import { fromHex, toHex } from './bytes.ts';

/** @param text `8-4-4-4-12` lower-case hexadecimal digits; anything else throws */
export const guidBytes = (text: string): Uint8Array => {
  const bytes = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text) ? fromHex(text.replaceAll('-', '')) : undefined;
  if (bytes === undefined) throw new TypeError(`not a GUID: ${text}`);
  return turned(bytes);
};

/** @param bytes 16 of them. @returns lower-case text */
export const guidText = (bytes: Uint8Array): string =>
  toHex(turned(bytes)).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** The same exchange leads from the order of the text and back. */
const turned = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.of(3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15).map((from) => bytes[from] ?? 0);

/** EFI_GLOBAL_VARIABLE, UEFI 2.10 §3.3: the owner of `SecureBoot`, `PK`, `KEK` and of what boots. */
export const globalVendor = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
/** EFI_IMAGE_SECURITY_DATABASE_GUID, UEFI 2.10 §32.4.1: the owner of `db` and `dbx`. */
export const securityVendor = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
