/**
 * The receipt of the visit that provisioned a device: what was made, in which TPM, by whom, signed by the device's own
 * report key. Its file is what makes a device provisioned.
 */

import { decodeMessage, encodeMessage } from '#hal/core/message';
import { ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { assembleEnvelope, type EnvelopeHeader, type IsRevoked, keyId, openEnvelope, signedBytes } from '#hal/crypto/envelope';
import { hybridSignatureSuites } from '#hal/crypto/suites';
import type { DeviceKeys, HybridPair } from '#hal/ports/device-keys';
import type { TpmIdentity } from '#hal/ports/tpm';
import { nameOf } from '#hal/tpm/public';
import type { VisitReceipt } from '#protos/gen/types';

const header: EnvelopeHeader = {
  suite: hybridSignatureSuites['enigm-ed25519-mldsa65'],
  audience: 'enigm-technician',
  payloadType: 'visit-receipt',
};

export interface Visit {
  /** A pseudonym, as a slug. */
  readonly technician: string;
  readonly finishedMs: number;
  readonly steps: readonly string[];
  readonly identity: TpmIdentity;
}

/** @returns the envelope, or why the device cannot sign */
export const signReceipt = async (crypto: CryptoBackend, keys: DeviceKeys, visit: Visit): Promise<Result<Uint8Array>> => {
  const publicKey = await keys.publicKey('report');
  if (!publicKey.ok) return publicKey;
  const payload = encodeMessage('VisitReceipt', {
    technician: visit.technician,
    finishedMs: visit.finishedMs,
    steps: visit.steps,
    endorsementName: nameOf(visit.identity.endorsementPublic),
    attestationName: nameOf(visit.identity.attestationPublic),
  });
  const signature = await keys.sign('report', signedBytes(header, payload));
  if (!signature.ok) return signature;
  const id = keyId(crypto, { suite: header.suite, ...publicKey.value });
  return ok(assembleEnvelope(header, payload, [{ keyId: id, ...signature.value }]));
};

/** @returns the receipt, or a fault of `openEnvelope`; that the key belongs to the device is the caller's question */
export const openReceipt = (
  crypto: CryptoBackend,
  envelope: Uint8Array,
  key: HybridPair,
  isRevoked: IsRevoked = () => false,
): Result<VisitReceipt> => {
  const policy = { ...header, keys: [{ suite: header.suite, ...key }], threshold: 1, isRevoked };
  const opened = openEnvelope(crypto, envelope, policy);
  return opened.ok ? decodeMessage('VisitReceipt', opened.value.payload) : opened;
};
