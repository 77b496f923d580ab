/**
 * C2SP tlog-cosignature: a witness says that this was the largest consistent tree of this log that it had seen, and when.
 *
 * Ed25519 as `cosignature/v1` has it, type 0x04. Its ML-DSA form is of ML-DSA-44; ours is ML-DSA-65 as everywhere, so it
 * has a type of its own, over the same message. A witness counts with both or not at all (SR-09).
 */
import { concat, equalBytes, u64be, utf8 } from '#hal/core/bytes';
import { malformed, parse } from '#hal/core/reader';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { noteKeyId, type SignatureLine, type SignedNote, signatureBy, signatureTypes } from '#hal/crypto/signed-note';
import { type HybridPublicKey, type HybridSecretKey, hybridPublicKey, hybridSign } from '#hal/crypto/suites';

export interface WitnessKey {
  /** Of the key, and so of the witness. */
  readonly name: string;
  readonly key: HybridPublicKey;
}

const { ed25519Cosignature, mlDsa65Cosignature } = signatureTypes;

/** @param text of the checkpoint. @returns the two lines, each with the time before its signature */
export const cosign = (
  crypto: CryptoBackend,
  text: string,
  name: string,
  secret: HybridSecretKey,
  nowMs: number,
): readonly SignatureLine[] => {
  const seconds = Math.floor(nowMs / 1000);
  const signature = hybridSign(crypto, secret, messageOf(text, seconds));
  const { classical, postQuantum } = hybridPublicKey(crypto, secret);
  const line = (type: Uint8Array, key: Uint8Array, signed: Uint8Array): SignatureLine => ({
    name,
    keyId: noteKeyId(name, type, key),
    signature: concat(u64be(seconds), signed),
  });
  return [line(ed25519Cosignature, classical, signature.classical), line(mlDsa65Cosignature, postQuantum, signature.postQuantum)];
};

/**
 * @returns when the witness cosigned, in milliseconds; undefined where one of its two lines is missing; or
 *   `integrity/signature-invalid` for a line of its key that does not verify, which spoils the note ("Signatures" of signed-note)
 */
export const cosignedBy = (crypto: CryptoBackend, note: SignedNote, { name, key }: WitnessKey): Result<number | undefined> => {
  const lines = [
    [signatureBy(note, name, ed25519Cosignature, key.classical), crypto.ed25519, key.classical],
    [signatureBy(note, name, mlDsa65Cosignature, key.postQuantum), crypto.mlDsa65, key.postQuantum],
  ] as const;
  let latest = 0;
  for (const [line, scheme, publicKey] of lines) {
    if (line === undefined) return ok(undefined);
    const timed = readTimed(line);
    if (!timed.ok) return timed;
    const { seconds, signature } = timed.value;
    if (!scheme.verify(publicKey, messageOf(note.text, seconds), signature))
      return deny('integrity', 'signature-invalid', `witness ${name}`);
    latest = Math.max(latest, seconds);
  }
  return ok(latest * 1000);
};

/** The two lines of a witness and no more: what else it sent is not ours to pass on. */
export const linesOf = ({ lines }: SignedNote, { name, key }: WitnessKey): readonly SignatureLine[] =>
  [noteKeyId(name, ed25519Cosignature, key.classical), noteKeyId(name, mlDsa65Cosignature, key.postQuantum)].flatMap(
    (id) => lines.find((line) => line.name === name && equalBytes(line.keyId, id)) ?? [],
  );

/** "Ed25519 signed message". */
const messageOf = (text: string, seconds: number): Uint8Array => utf8(`cosignature/v1\ntime ${seconds}\n${text}`);

const readTimed = (line: Uint8Array) =>
  parse(
    line,
    (reader) => {
      const seconds = Number(reader.u64be());
      if (!Number.isSafeInteger(seconds)) malformed('a time out of range');
      return { seconds, signature: reader.take(reader.remaining) };
    },
    (why) => deny('integrity', 'signature-invalid', `cosignature: ${why}`),
  );
