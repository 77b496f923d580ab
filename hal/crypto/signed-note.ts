/**
 * C2SP signed-note: a text, an empty line, and a signature line for each key that signed it. The text is whatever its
 * format says; what a signature covers besides it is for its type to say (C2SP tlog-cosignature).
 */
import { createHash } from 'node:crypto';
import { concat, equalBytes, fromBase64, toBase64, utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';

export interface SignatureLine {
  /** Name of the key: no white space, no plus sign. */
  readonly name: string;
  /** 4 bytes: which key of that name, and of which type. */
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

export interface SignedNote {
  /** What is signed: with its last newline, without the empty line. */
  readonly text: string;
  readonly lines: readonly SignatureLine[];
}

/** "Signature types" of signed-note. ML-DSA-65 has none assigned there, so it takes the form for such types: 0xff and a name. */
export const signatureTypes = {
  ed25519: new Uint8Array([0x01]),
  mlDsa65: concat(new Uint8Array([0xff]), utf8('enigm.device/ml-dsa-65')),
  ed25519Cosignature: new Uint8Array([0x04]),
  mlDsa65Cosignature: concat(new Uint8Array([0xff]), utf8('enigm.device/cosignature/ml-dsa-65')),
} as const;

/** One more than verifiers must accept would do; what is larger is no note of ours. */
const maxLines = 32;
export const maxNoteBytes = 64 * 1024;
const maxNameLength = 96;

/** Key id of a signed note: SHA-256(name ‖ newline ‖ type ‖ key), first 4 bytes. */
export const noteKeyId = (name: string, type: Uint8Array, key: Uint8Array): Uint8Array =>
  createHash('sha256').update(`${name}\n`).update(type).update(key).digest().subarray(0, 4);

export const isKeyName = (name: string): boolean => name.length <= maxNameLength && /^[^\s+\p{Cc}]+$/u.test(name);

export const encodeLine = ({ name, keyId, signature }: SignatureLine): string =>
  `— ${name} ${toBase64(concat(keyId, signature))}\n`;

export const encodeNote = ({ text, lines }: SignedNote): Uint8Array => utf8(`${text}\n${lines.map(encodeLine).join('')}`);

/**
 * Nothing is verified here.
 * @returns text and lines; or `protocol/too-large`, `protocol/malformed` for what is not UTF-8, has control characters, an
 *   odd line or none
 */
export const readNote = (bytes: Uint8Array): Result<SignedNote> => {
  if (bytes.length > maxNoteBytes) return deny('protocol', 'too-large', 'signed note');
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  if (!equalBytes(utf8(whole), bytes) || /[^\n\P{Cc}]/u.test(whole)) return deny('protocol', 'malformed', 'not a text');
  const split = whole.lastIndexOf('\n\n');
  if (split < 1) return deny('protocol', 'malformed', 'not a signed note');
  const lines = readLines(whole.slice(split + 2));
  return lines.ok ? ok({ text: whole.slice(0, split + 1), lines: lines.value }) : lines;
};

/** @returns the lines, each ended by a newline; or `protocol/malformed` */
export const readLines = (text: string): Result<readonly SignatureLine[]> => {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.length === 0 || lines.length > maxLines)
    return deny('protocol', 'malformed', `${lines.length} signature lines`);
  const read: SignatureLine[] = [];
  for (const line of lines) {
    const [dash, name = '', encoded = '', ...rest] = line.split(' ');
    const signed = fromBase64(encoded);
    if (dash !== '—' || rest.length > 0 || !isKeyName(name) || signed === undefined || signed.length < 5)
      return deny('protocol', 'malformed', 'a signature line');
    read.push({ name, keyId: signed.subarray(0, 4), signature: signed.subarray(4) });
  }
  return ok(read);
};

/** @returns the signature of that key, whichever line has it; lines of other keys count for nothing */
export const signatureBy = ({ lines }: SignedNote, name: string, type: Uint8Array, key: Uint8Array): Uint8Array | undefined => {
  const id = noteKeyId(name, type, key);
  return lines.find((line) => line.name === name && equalBytes(line.keyId, id))?.signature;
};
