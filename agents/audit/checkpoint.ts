/**
 * Checkpoints: C2SP tlog-checkpoint in a C2SP signed-note, with two signature lines that must both be there.
 *
 * The text is origin, size, root and one extension line: the value of the TPM's audit counter that this checkpoint
 * belongs to (SR-14). Ed25519 has its signature type 0x01; ML-DSA-65 has none assigned, so it takes the form for such
 * types: 0xff and a name.
 */
import { createHash } from 'node:crypto';
import { concat, equalBytes, fromBase64, toBase64, utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';

export interface Checkpoint {
  /** Name of the log: no white space, no plus sign. */
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Value of the TPM counter. */
  readonly anchor: number;
}

export interface CheckpointKeys {
  readonly classical: Uint8Array;
  readonly postQuantum: Uint8Array;
}

const classicalType = new Uint8Array([0x01]);
const postQuantumType = concat(new Uint8Array([0xff]), utf8('enigm.device/ml-dsa-65'));

/** The bytes that both signatures cover. */
export const checkpointText = ({ origin, size, root, anchor }: Checkpoint): Uint8Array =>
  utf8(`${origin}\n${size}\n${toBase64(root)}\nanchor ${anchor}\n`);

export const encodeCheckpoint = (checkpoint: Checkpoint, keys: CheckpointKeys, signatures: CheckpointKeys): Uint8Array => {
  const line = (type: Uint8Array, key: Uint8Array, signature: Uint8Array) =>
    `— ${checkpoint.origin} ${toBase64(concat(keyHash(checkpoint.origin, type, key), signature))}\n`;
  return concat(
    checkpointText(checkpoint),
    utf8(
      `\n${line(classicalType, keys.classical, signatures.classical)}${line(postQuantumType, keys.postQuantum, signatures.postQuantum)}`,
    ),
  );
};

/** @returns the checkpoint when both signatures verify; else `integrity/signature-missing`, `integrity/signature-invalid`, `protocol/malformed` */
export const openCheckpoint = (crypto: CryptoBackend, note: Uint8Array, keys: CheckpointKeys): Result<Checkpoint> => {
  const whole = Buffer.from(note).toString('utf8');
  const split = whole.lastIndexOf('\n\n');
  if (split < 0 || !equalBytes(utf8(whole), note)) return deny('protocol', 'malformed', 'not a signed note');
  const text = whole.slice(0, split + 1);
  const checkpoint = parseText(text);
  if (checkpoint === undefined) return deny('protocol', 'malformed', 'not a checkpoint');
  const lines = whole
    .slice(split + 2)
    .split('\n')
    .slice(0, -1);
  if (lines.length !== 2) return deny('integrity', 'signature-missing', `${lines.length} signature lines`);
  const signatureOf = (type: Uint8Array, key: Uint8Array): Uint8Array | undefined => {
    const hash = keyHash(checkpoint.origin, type, key);
    for (const line of lines) {
      const [dash, name, encoded, ...rest] = line.split(' ');
      const bytes = dash === '—' && name === checkpoint.origin && rest.length === 0 ? fromBase64(encoded ?? '') : undefined;
      if (bytes !== undefined && bytes.length > 4 && equalBytes(bytes.subarray(0, 4), hash)) return bytes.subarray(4);
    }
    return undefined;
  };
  const classical = signatureOf(classicalType, keys.classical);
  const postQuantum = signatureOf(postQuantumType, keys.postQuantum);
  if (classical === undefined || postQuantum === undefined) return deny('integrity', 'signature-missing');
  const isSigned =
    crypto.ed25519.verify(keys.classical, utf8(text), classical) &&
    crypto.mlDsa65.verify(keys.postQuantum, utf8(text), postQuantum);
  return isSigned ? ok(checkpoint) : deny('integrity', 'signature-invalid');
};

const parseText = (text: string): Checkpoint | undefined => {
  const match = /^([^\s+]{1,96})\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\nanchor (0|[1-9]\d{0,15})\n$/.exec(text);
  const root = match === null ? undefined : fromBase64(match[3] ?? '');
  if (match === null || root === undefined) return undefined;
  return { origin: match[1] ?? '', size: Number(match[2]), root, anchor: Number(match[4]) };
};

/** Key hash of a signed note: SHA-256(name ‖ newline ‖ type ‖ key), first 4 bytes. */
const keyHash = (origin: string, type: Uint8Array, key: Uint8Array): Uint8Array =>
  createHash('sha256').update(`${origin}\n`).update(type).update(key).digest().subarray(0, 4);
