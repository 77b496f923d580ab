/**
 * What the broker carries: sealed to one receiver, in a few sizes only (SR-20).
 *
 * HPKE with MLKEM768-X25519 (0x647a), HKDF-SHA256, ChaCha20-Poly1305. Downward the sealed bytes are an envelope by
 * Command; upward they are signed by the key that Command saw attested. What sealing does not hide: that something was
 * sent, when, and which of the sizes.
 */
import { concat, u32be, utf8 } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type EnvelopeHeader, type IsRevoked, openEnvelope, sealEnvelope } from '#hal/crypto/envelope';
import { type Hpke, hpke, hpkeKemIds } from '#hal/crypto/hpke';
import { type HybridPublicKey, type HybridSecretKey, hybridSignatureSuites } from '#hal/crypto/suites';
import { xWing } from '#hal/crypto/xwing';
import type { Random } from '#hal/ports/random';
import type { FleetMessage } from '#protos/gen/types';

/** Plaintext sizes, in bytes, the length before it included. */
const bucketBytes = [1024, 8192, 32_768, 120_000];
const info = { up: utf8('enigm-fleet-up-1'), down: utf8('enigm-fleet-down-1') };
const none = new Uint8Array();

export const fleetHpke = (crypto: CryptoBackend, random: Random): Hpke =>
  hpke(crypto, hpkeKemIds.mlkem768X25519, xWing(crypto, random));

const downHeader = (label: string): EnvelopeHeader => ({
  suite: hybridSignatureSuites['enigm-ed25519-mldsa65'],
  audience: label,
  payloadType: 'fleet-message',
});

/** @param sign by the confirmation key of the device's result for Command */
export const sealUp = (
  box: Hpke,
  commandKey: Uint8Array,
  message: FleetMessage,
  sign: (bytes: Uint8Array) => Uint8Array,
): Result<Uint8Array> => {
  const bytes = encodeMessage('FleetMessage', message);
  const signed = encodeMessage('UpwardMessage', { message: bytes, signature: sign(upwardBytes(bytes)) });
  return seal(box, commandKey, info.up, signed);
};

/** @returns the message, or `integrity/decryption-failed`, `integrity/signature-invalid`, `protocol/malformed`, `field-invalid` */
export const openUp = (
  crypto: CryptoBackend,
  box: Hpke,
  seed: Uint8Array,
  sealed: Uint8Array,
  confirmationKey: Uint8Array,
): Result<FleetMessage> => {
  const opened = unseal(box, seed, info.up, sealed);
  if (!opened.ok) return opened;
  const upward = decodeMessage('UpwardMessage', opened.value);
  if (!upward.ok) return upward;
  const { message, signature } = upward.value;
  return crypto.ed25519.verify(confirmationKey, upwardBytes(message), signature)
    ? decodeMessage('FleetMessage', message)
    : deny('integrity', 'signature-invalid', 'upward message');
};

export const sealDown = (
  crypto: CryptoBackend,
  box: Hpke,
  deviceKey: Uint8Array,
  label: string,
  message: FleetMessage,
  commandSigner: HybridSecretKey,
): Result<Uint8Array> =>
  seal(
    box,
    deviceKey,
    info.down,
    sealEnvelope(crypto, downHeader(label), encodeMessage('FleetMessage', message), [commandSigner]),
  );

/** Whom the device takes for Command. */
export interface CommandKeys {
  readonly keys: readonly HybridPublicKey[];
  readonly isRevoked: IsRevoked;
}

/** @returns the message, or `integrity/decryption-failed`, a fault of `openEnvelope`, `protocol/malformed`, `field-invalid` */
export const openDown = (
  crypto: CryptoBackend,
  box: Hpke,
  seed: Uint8Array,
  sealed: Uint8Array,
  label: string,
  { keys, isRevoked }: CommandKeys,
): Result<FleetMessage> => {
  const opened = unseal(box, seed, info.down, sealed);
  if (!opened.ok) return opened;
  const envelope = openEnvelope(crypto, opened.value, { ...downHeader(label), keys, threshold: 1, isRevoked });
  return envelope.ok ? decodeMessage('FleetMessage', envelope.value.payload) : envelope;
};

const upwardBytes = (message: Uint8Array): Uint8Array => concat(utf8('enigm-fleet-up-1\0'), message);

const seal = (box: Hpke, publicKey: Uint8Array, purpose: Uint8Array, bytes: Uint8Array): Result<Uint8Array> => {
  const size = bucketBytes.find((bucket) => bytes.length + 4 <= bucket);
  if (size === undefined) return deny('protocol', 'too-large', 'fleet message');
  const padded = concat(u32be(bytes.length), bytes, new Uint8Array(size - 4 - bytes.length));
  return box.seal(publicKey, purpose, none, padded);
};

const unseal = (box: Hpke, seed: Uint8Array, purpose: Uint8Array, sealed: Uint8Array): Result<Uint8Array> => {
  const opened = box.open(seed, purpose, none, sealed);
  if (!opened.ok) return opened;
  const padded = Buffer.from(opened.value);
  const lengthBytes = padded.length < 4 ? Number.POSITIVE_INFINITY : padded.readUInt32BE(0);
  return lengthBytes <= padded.length - 4
    ? ok(new Uint8Array(padded.subarray(4, 4 + lengthBytes)))
    : deny('protocol', 'malformed', 'padding');
};
