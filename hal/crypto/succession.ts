/**
 * Successions: the old key of a class signs the new one. Who trusts any key of the row can follow it to the one in use,
 * and what an older key signed stays verifiable.
 */
import { equalBytes } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import type { HybridPair } from '#hal/ports/device-keys';
import type { KeySuccession } from '#protos/gen/types';
import type { CryptoBackend } from './backend.ts';
import { assembleEnvelope, type EnvelopeHeader, keyId, openEnvelope, signedBytes } from './envelope.ts';
import { hybridSignatureSuites } from './suites.ts';

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const header: EnvelopeHeader = { suite, audience: 'enigm-device-keys', payloadType: 'key-succession' };

/** The bytes that the old key signs. */
export const successionBytes = (succession: KeySuccession): Uint8Array =>
  signedBytes(header, encodeMessage('KeySuccession', succession));

/** @param old the key that made the signature, over `successionBytes` */
export const assembleSuccession = (
  crypto: CryptoBackend,
  succession: KeySuccession,
  old: HybridPair,
  signature: HybridPair,
): Uint8Array =>
  assembleEnvelope(header, encodeMessage('KeySuccession', succession), [
    { keyId: keyId(crypto, { suite, ...old }), ...signature },
  ]);

/** The id of a key pair of the device. */
export const deviceKeyId = (crypto: CryptoBackend, { classical, postQuantum }: HybridPair): Uint8Array =>
  keyId(crypto, { suite, classical, postQuantum });

/** Whether bytes would be taken for a succession once they are signed: whoever signs for others signs no such thing. */
export const isSuccession = (message: Uint8Array): boolean =>
  message.length >= prefix.length && equalBytes(message.subarray(0, prefix.length), prefix);

/** Everything before the length of the payload. */
const prefix = signedBytes(header, new Uint8Array()).slice(0, -8);

/** @returns what the old key says of its successor; or a fault of `openEnvelope` and of the decode edge */
export const openSuccession = (crypto: CryptoBackend, envelope: Uint8Array, old: HybridPair): Result<KeySuccession> => {
  const opened = openEnvelope(crypto, envelope, { ...header, keys: [{ suite, ...old }], threshold: 1 });
  return opened.ok ? decodeMessage('KeySuccession', opened.value.payload) : opened;
};

/**
 * From one key of a class to the key in use.
 *
 * @param successions of this device, of any class and in any order; each is used once
 * @returns the ids of the keys on the way, both ends included; or `integrity/proof-invalid` where none leads there
 */
export const followSuccessions = (
  crypto: CryptoBackend,
  successions: readonly Uint8Array[],
  from: HybridPair,
  toKeyId: Uint8Array,
): Result<readonly Uint8Array[]> => {
  let key = from;
  const way = [deviceKeyId(crypto, from)];
  for (let left = successions; ; ) {
    if (equalBytes(way.at(-1) ?? new Uint8Array(), toKeyId)) return ok(way);
    const opened = left.map((envelope) => openSuccession(crypto, envelope, key));
    const at = opened.findIndex(({ ok: isOpen }) => isOpen);
    const next = opened[at];
    if (next?.ok !== true) return deny('integrity', 'proof-invalid', 'no succession leads from this key to the one in use');
    key = next.value.key;
    way.push(deviceKeyId(crypto, key));
    left = left.toSpliced(at, 1);
  }
};
