/** Distinguished Encoding Rules (ITU-T X.690 §10), as much as signatures of boot images and files of keys need. */
import { concat, u8 } from '#hal/core/bytes';

const lengthOf = (bytes: number): Uint8Array => {
  if (bytes < 0x80) return u8(bytes);
  const digits = digitsOf(bytes);
  return new Uint8Array([0x80 | digits.length, ...digits]);
};

/** To the base of 256, at least one. */
const digitsOf = (value: number): readonly number[] => {
  const digits = [value % 256];
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return digits;
};

/** One element: tag byte, length, contents. */
export const element = (tag: number, ...contents: readonly Uint8Array[]): Uint8Array => {
  const body = concat(...contents);
  return concat(u8(tag), lengthOf(body.length), body);
};

export const sequence = (...contents: readonly Uint8Array[]): Uint8Array => element(0x30, ...contents);
/** SET OF: DER orders the encodings. */
export const setOf = (...contents: readonly Uint8Array[]): Uint8Array =>
  element(0x31, ...contents.toSorted((a, b) => Buffer.compare(a, b)));
export const octets = (bytes: Uint8Array): Uint8Array => element(0x04, bytes);
export const nothing = element(0x05);
export const bits = (bytes: Uint8Array): Uint8Array => element(0x03, u8(0), bytes);
export const truth = (value: boolean): Uint8Array => element(0x01, u8(value ? 0xff : 0));
/** @param value of 0 to 2^53 - 1; a first digit from 128 would be a sign (X.690 §8.3) */
export const integer = (value: number): Uint8Array => {
  const digits = digitsOf(value);
  return element(0x02, new Uint8Array((digits[0] ?? 0) < 0x80 ? digits : [0, ...digits]));
};
/** Context-specific and constructed. */
export const tagged = (number: number, ...contents: readonly Uint8Array[]): Uint8Array => element(0xa0 | number, ...contents);

export const objectIdentifier = (dotted: string): Uint8Array => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const digits = (value: number): number[] => {
    const out = [value % 128];
    for (let more = Math.floor(value / 128); more > 0; more = Math.floor(more / 128)) out.unshift(128 + (more % 128));
    return out;
  };
  return element(0x06, new Uint8Array([first * 40 + second, ...rest.flatMap(digits)]));
};
