/**
 * Bytes without Node: the Key's bundle runs where there is neither `Buffer` nor `node:crypto`, and may not carry the
 * table of faults. Otherwise as `hal/core/bytes`.
 */
export const empty = new Uint8Array(0);

export const join = (...parts: readonly Uint8Array[]): Uint8Array => {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
};

/** ASCII labels only. */
export const ascii = (text: string): Uint8Array => {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
};

/** Constant time in the contents, as far as an interpreter is. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
};

export const u16 = (value: number): Uint8Array => Uint8Array.of((value >>> 8) & 0xff, value & 0xff);
export const u32 = (value: number): Uint8Array =>
  Uint8Array.of((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);

export const readU16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
export const readU32 = (bytes: Uint8Array, at: number): number => readU16(bytes, at) * 0x1_0000 + readU16(bytes, at + 2);
/** Two's complement, for coordinates. */
export const readI32 = (bytes: Uint8Array, at: number): number => readU32(bytes, at) | 0;

export const padded = (bytes: Uint8Array, length: number): Uint8Array => {
  const whole = new Uint8Array(length);
  whole.set(bytes);
  return whole;
};

const pairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => (byte < 16 ? '0' : '') + byte.toString(16));

export const toHex = (bytes: Uint8Array): string => {
  let text = '';
  for (let index = 0; index < bytes.length; index++) text += pairs[bytes[index] ?? 0];
  return text;
};

/** Of text that this program wrote itself: lower-case digits, an even number of them. */
export const ofHex = (text: string): Uint8Array => {
  const bytes = new Uint8Array(text.length >> 1);
  const digit = (code: number): number => (code < 58 ? code - 48 : code - 87);
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = digit(text.charCodeAt(2 * index)) * 16 + digit(text.charCodeAt(2 * index + 1));
  return bytes;
};
