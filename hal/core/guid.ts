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
