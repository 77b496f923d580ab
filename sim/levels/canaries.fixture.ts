/** Looking for words and bytes that must not be somewhere: as they are, as hexadecimal, and inside of base64. */
import { utf8 } from '#hal/core/bytes';

export type Canaries = Readonly<Record<string, Uint8Array | string>>;

/** Shorter ones would be met by chance. */
const leastBytes = 6;

/** @returns `NAME as ENCODING` of each that is there */
export const found = (haystack: Uint8Array, canaries: Canaries): readonly string[] => {
  const bytes = Buffer.from(haystack);
  const text = bytes.toString('latin1').toLowerCase();
  return Object.entries(canaries).flatMap(([name, canary]) => {
    const wanted = Buffer.from(typeof canary === 'string' ? utf8(canary) : canary);
    if (wanted.length < leastBytes) throw new Error(`${name} is too short to be looked for`);
    return [
      ...(bytes.includes(wanted) ? [`${name} as it is`] : []),
      ...(text.includes(wanted.toString('hex')) ? [`${name} as hexadecimal`] : []),
      ...(base64Forms(wanted).some((form) => bytes.includes(form)) ? [`${name} as base64`] : []),
    ];
  });
};

/** What is surely there of it when it stands inside of something longer, at each of three offsets, in both alphabets. */
const base64Forms = (wanted: Buffer): readonly string[] =>
  [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), wanted]);
    const sure = whole.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((whole.length * 8) / 6));
    return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')];
  });
