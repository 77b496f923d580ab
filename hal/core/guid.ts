/** GUIDs in the byte order of UEFI 2.10 appendix A: the first three groups are little-endian. */
import { concat, fromHex, toHex } from './bytes.ts';

/** @param text `8-4-4-4-12` hexadecimal digits */
export const guidBytes = (text: string): Uint8Array => turned(fromHex(text.replaceAll('-', '')) ?? new Uint8Array(16));

/** @param bytes 16 of them. @returns lower-case text */
export const guidText = (bytes: Uint8Array): string =>
  toHex(turned(bytes)).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const turned = (bytes: Uint8Array): Uint8Array =>
  concat(bytes.slice(0, 4).reverse(), bytes.slice(4, 6).reverse(), bytes.slice(6, 8).reverse(), bytes.subarray(8, 16));
