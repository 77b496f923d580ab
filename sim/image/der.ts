/** Distinguished Encoding Rules (ITU-T X.690 §10), as much as a signature of a boot image needs. */
import { concat, u8 } from '#hal/core/bytes';

const lengthOf = (bytes: number): Uint8Array => {
  if (bytes < 0x80) return u8(bytes);
  const digits: number[] = [];
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return new Uint8Array([0x80 | digits.length, ...digits]);
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
export const smallInteger = (value: number): Uint8Array => element(0x02, u8(value));
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
