/**
 * Checkpoints: C2SP tlog-checkpoint in a C2SP signed-note, with two signature lines that must both be there.
 *
 * The text is origin, size, root and one extension line: the value of the TPM's audit counter that this checkpoint
 * belongs to (SR-14).
 */
import { fromBase64, toBase64, utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { encodeNote, noteKeyId, readNote, signatureBy, signatureTypes } from '#hal/crypto/signed-note';

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

/** The bytes that both signatures cover. */
export const checkpointText = ({ origin, size, root, anchor }: Checkpoint): Uint8Array =>
  utf8(textOf({ origin, size, root, anchor }));

const textOf = ({ origin, size, root, anchor }: Checkpoint): string =>
  `${origin}\n${size}\n${toBase64(root)}\nanchor ${anchor}\n`;

export const encodeCheckpoint = (checkpoint: Checkpoint, keys: CheckpointKeys, signatures: CheckpointKeys): Uint8Array => {
  const { origin: name } = checkpoint;
  const line = (type: Uint8Array, key: Uint8Array, signature: Uint8Array) => ({
    name,
    keyId: noteKeyId(name, type, key),
    signature,
  });
  return encodeNote({
    text: textOf(checkpoint),
    lines: [
      line(signatureTypes.ed25519, keys.classical, signatures.classical),
      line(signatureTypes.mlDsa65, keys.postQuantum, signatures.postQuantum),
    ],
  });
};

/** @returns the checkpoint when both signatures verify; else `integrity/signature-missing`, `integrity/signature-invalid`, `protocol/malformed` */
export const openCheckpoint = (crypto: CryptoBackend, bytes: Uint8Array, keys: CheckpointKeys): Result<Checkpoint> => {
  const note = readNote(bytes);
  if (!note.ok) return note;
  const checkpoint = parseText(note.value.text);
  if (checkpoint === undefined) return deny('protocol', 'malformed', 'not a checkpoint');
  const { text, lines } = note.value;
  if (lines.length !== 2) return deny('integrity', 'signature-missing', `${lines.length} signature lines`);
  const classical = signatureBy(note.value, checkpoint.origin, signatureTypes.ed25519, keys.classical);
  const postQuantum = signatureBy(note.value, checkpoint.origin, signatureTypes.mlDsa65, keys.postQuantum);
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
