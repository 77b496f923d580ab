/**
 * The one signed envelope for commands, reports and statements (SR-03).
 *
 * Every signature covers suite, audience, payload type and payload in pre-authentication encoding, so that none of
 * them can be changed or read differently. The reader names the suite, audience, type and keys that policy demands;
 * what the message says of them must be equal, and chooses nothing.
 */

import { concat, equalBytes, u64be, utf8 } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import type { Envelope } from '#protos/gen/types';
import type { CryptoBackend } from './backend.ts';
import {
  type HybridPublicKey,
  type HybridSecretKey,
  type HybridSignature,
  type HybridSuite,
  hybridPublicKey,
  hybridSign,
  hybridVerify,
} from './suites.ts';

export interface EnvelopeHeader {
  readonly suite: HybridSuite;
  /** Who it is for: a slug. */
  readonly audience: string;
  /** What it is: a slug. */
  readonly payloadType: string;
}

/** Whether a key with this id was revoked here: then it verifies nothing, of whatever class it is. */
export type IsRevoked = (keyId: Uint8Array) => boolean;

export interface EnvelopePolicy extends EnvelopeHeader {
  /** Keys of exactly the class that may sign this type; a signature by any other key counts for nothing. */
  readonly keys: readonly HybridPublicKey[];
  /** How many different keys must have signed. */
  readonly threshold: number;
  /** Absent where keys of the class are not revoked here but replaced by those who publish them. */
  readonly isRevoked?: IsRevoked;
}

export interface OpenedEnvelope {
  readonly payload: Uint8Array;
  /** Key ids of those who signed and verified. */
  readonly signers: readonly Uint8Array[];
}

/** The exact bytes that are signed: each part with its length before it (the PAE of DSSE and PASETO, binary lengths). */
export const signedBytes = ({ suite, audience, payloadType }: EnvelopeHeader, payload: Uint8Array): Uint8Array => {
  const parts = [utf8('enigm1'), utf8(suite.id), utf8(audience), utf8(payloadType), payload];
  return concat(u64be(parts.length), ...parts.flatMap((part) => [u64be(part.length), part]));
};

/** SHA-256 over the suite and both public keys, each with its length. */
export const keyId = (backend: CryptoBackend, { suite, classical, postQuantum }: HybridPublicKey): Uint8Array =>
  backend.hash(
    'sha256',
    ...[utf8('enigm-key-1'), utf8(suite.id), classical, postQuantum].flatMap((part) => [u64be(part.length), part]),
  );

/** An envelope signed with secrets at hand: peers, publishers, tests. */
export const sealEnvelope = (
  backend: CryptoBackend,
  header: EnvelopeHeader,
  payload: Uint8Array,
  signers: readonly HybridSecretKey[],
): Uint8Array =>
  assembleEnvelope(
    header,
    payload,
    signers.map((secret) => ({
      keyId: keyId(backend, hybridPublicKey(backend, secret)),
      ...hybridSign(backend, secret, signedBytes(header, payload)),
    })),
  );

/** An envelope whose signatures were made elsewhere, over `signedBytes`. */
export const assembleEnvelope = (
  { suite, audience, payloadType }: EnvelopeHeader,
  payload: Uint8Array,
  signatures: readonly (HybridSignature & { readonly keyId: Uint8Array })[],
): Uint8Array => encodeMessage('Envelope', { suite: suite.id, audience, payloadType, payload, signatures });

/**
 * @returns the payload, nothing in it read; or `integrity/suite-refused`, `audience-mismatch`, `payload-type`,
 * `signature-missing`, `signature-invalid`, `key-revoked`, `protocol/malformed`, `field-invalid` (also for one signature of a pair alone)
 */
export const openEnvelope = (backend: CryptoBackend, bytes: Uint8Array, policy: EnvelopePolicy): Result<OpenedEnvelope> => {
  const decoded = decodeMessage('Envelope', bytes);
  if (!decoded.ok) return decoded;
  const envelope: Envelope = decoded.value;
  if (envelope.suite !== policy.suite.id) return deny('integrity', 'suite-refused', envelope.suite);
  if (envelope.audience !== policy.audience) return deny('integrity', 'audience-mismatch', envelope.audience);
  if (envelope.payloadType !== policy.payloadType) return deny('integrity', 'payload-type', envelope.payloadType);
  const message = signedBytes(policy, envelope.payload);
  const signers: Uint8Array[] = [];
  let hasRevoked = false;
  for (const key of policy.keys) {
    const id = keyId(backend, key);
    if (signers.some((signer) => equalBytes(signer, id))) continue;
    const signature = envelope.signatures.find((candidate) => equalBytes(candidate.keyId, id));
    if (signature === undefined) continue;
    if (policy.isRevoked?.(id) === true) {
      hasRevoked = true;
      continue;
    }
    const verified = hybridVerify(backend, policy.suite, key, message, signature);
    if (!verified.ok) return verified;
    signers.push(id);
  }
  if (hasRevoked && signers.length < policy.threshold) return deny('integrity', 'key-revoked');
  if (policy.threshold < 1 || signers.length < policy.threshold)
    return deny('integrity', 'signature-missing', `${signers.length} of ${policy.threshold} trusted signatures`);
  return ok({ payload: envelope.payload, signers });
};
