/** Byte helpers without opinions. Secrets stay in `Uint8Array`, are compared in constant time and wiped after use. */
import { timingSafeEqual } from 'node:crypto';

/**
 * Zeros, in memory that nobody moves. V8 keeps arrays of up to 64 bytes within its own heap, and leaves a copy behind each
 * time it collects or hands one to native code: no `wipe` reaches those. Secrets are made and copied by this.
 */
export const fixedBytes = (length: number): Uint8Array => new Uint8Array(new ArrayBuffer(length));

/** A copy in memory that nobody moves. */
export const fixedCopy = (bytes: Uint8Array): Uint8Array => {
  const copy = fixedBytes(bytes.length);
  copy.set(bytes);
  return copy;
};

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => concatAll(parts);

/** Of a list that somebody else made long: a call has room for some ten thousand arguments. */
export const concatAll = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = fixedBytes(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
};

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
export const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');

/** Strict: an odd count or a character outside 0-9a-fA-F gives undefined. */
export const fromHex = (text: string): Uint8Array | undefined =>
  /^(?:[0-9a-fA-F]{2})*$/.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : undefined;

/** Strict standard base64 with padding, in its one canonical form; anything else gives undefined. */
export const fromBase64 = (text: string): Uint8Array | undefined => {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined;
};

/** Constant time in the contents; the lengths are not secret. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

export const wipe = (...secrets: readonly Uint8Array[]): void => {
  for (const secret of secrets) secret.fill(0);
};

const integer =
  (size: number, littleEndian: boolean) =>
  (value: number): Uint8Array => {
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    if (size === 1) view.setUint8(0, value);
    else if (size === 2) view.setUint16(0, value, littleEndian);
    else if (size === 4) view.setUint32(0, value, littleEndian);
    else view.setBigUint64(0, BigInt(value), littleEndian);
    return bytes;
  };

export const u8 = integer(1, false);
export const u16be = integer(2, false);
export const u32be = integer(4, false);
export const u64be = integer(8, false);
export const u16le = integer(2, true);
export const u32le = integer(4, true);
export const u64le = integer(8, true);
