/**
 * C2SP tlog-checkpoint: origin, size and root of the log, in a signed note. The log signs with both algorithms, and both
 * must be there (SR-09); lines of others are for whoever knows them.
 */
import { fromBase64, toBase64, utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import {
  isKeyName,
  noteKeyId,
  readNote,
  type SignatureLine,
  type SignedNote,
  signatureBy,
  signatureTypes,
} from '#hal/crypto/signed-note';
import { type HybridPublicKey, type HybridSecretKey, hybridPublicKey, hybridSign, hybridVerify } from '#hal/crypto/suites';

/** The tree of a log at one size. */
export interface LogHead {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

export interface LogCheckpoint extends LogHead {
  /** The name of the log, which is also that of its key. */
  readonly origin: string;
}

export interface OpenedCheckpoint {
  readonly checkpoint: LogCheckpoint;
  readonly note: SignedNote;
}

export const checkpointText = ({ origin, size, root }: LogCheckpoint): string => `${origin}\n${size}\n${toBase64(root)}\n`;

/** @returns the two lines by which a log says that this is its tree */
export const signCheckpoint = (
  crypto: CryptoBackend,
  checkpoint: LogCheckpoint,
  key: HybridSecretKey,
): readonly SignatureLine[] => {
  const { origin: name } = checkpoint;
  const signature = hybridSign(crypto, key, utf8(checkpointText(checkpoint)));
  const { classical, postQuantum } = hybridPublicKey(crypto, key);
  const { ed25519, mlDsa65 } = signatureTypes;
  return [
    { name, keyId: noteKeyId(name, ed25519, classical), signature: signature.classical },
    { name, keyId: noteKeyId(name, mlDsa65, postQuantum), signature: signature.postQuantum },
  ];
};

/**
 * @param origin the log that is trusted, with its key
 * @returns the checkpoint; or `integrity/audience-mismatch` for another log, `integrity/signature-missing`,
 *   `integrity/signature-invalid`, `protocol/malformed`, `protocol/too-large`
 */
export const openLogCheckpoint = (
  crypto: CryptoBackend,
  bytes: Uint8Array,
  origin: string,
  key: HybridPublicKey,
): Result<OpenedCheckpoint> => {
  const read = readCheckpoint(bytes);
  if (!read.ok) return read;
  const { checkpoint, note } = read.value;
  if (checkpoint.origin !== origin) return deny('integrity', 'audience-mismatch', `log ${checkpoint.origin}`);
  const verified = hybridVerify(crypto, key.suite, key, utf8(note.text), {
    classical: signatureBy(note, origin, signatureTypes.ed25519, key.classical),
    postQuantum: signatureBy(note, origin, signatureTypes.mlDsa65, key.postQuantum),
  });
  return verified.ok ? ok(read.value) : verified;
};

/** @returns what it says of itself, nothing of it verified; or `protocol/malformed`, `protocol/too-large` */
export const readCheckpoint = (bytes: Uint8Array): Result<OpenedCheckpoint> => {
  const note = readNote(bytes);
  if (!note.ok) return note;
  const [, origin = '', digits = '', encoded = ''] =
    /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(note.value.text) ?? [];
  const root = fromBase64(encoded);
  const size = Number(digits);
  if (!isKeyName(origin) || root?.length !== 32 || !Number.isSafeInteger(size))
    return deny('protocol', 'malformed', 'not a checkpoint');
  return ok({ checkpoint: { origin, size, root }, note: note.value });
};
