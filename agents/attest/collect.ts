/** Evidence of this device for one challenge: boot log, quote and both signatures, put together by the hands' ports. */
import { createHash } from 'node:crypto';
import { encodeClaims } from '#attestation/claims';
import { encodeEvidence, evidenceInput, type Purpose, qualifyingData } from '#attestation/evidence';
import { ok, type Result } from '#hal/core/result';
import type { BootLog } from '#hal/ports/boot-log';
import type { DeviceKeys } from '#hal/ports/device-keys';
import type { Tpm } from '#hal/ports/tpm';

/** Firmware, boot manager and image registers; 10 belongs to IMA, which has a log of its own. */
export const attestedPcrs: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14];

export interface Collector {
  readonly tpm: Tpm;
  readonly keys: DeviceKeys;
  readonly bootLog: BootLog;
}

export interface Question {
  readonly purpose: Purpose;
  readonly verifier: string;
  readonly nonce: Uint8Array;
  readonly deviceNonce: Uint8Array;
  readonly relyingParty: string;
  readonly epoch: number;
  readonly bootId: Uint8Array;
  /** Ed25519 public key that the result shall be bound to. */
  readonly confirmationKey: Uint8Array;
  /** Whether the verifier needs the boot log itself, or knows it by its digest. */
  readonly needsLog: boolean;
  /** For a director: digest of the rollout buckets that it will be told (SR-21). */
  readonly rollout?: Uint8Array;
}

export interface Collected {
  /** Encoded. */
  readonly evidence: Uint8Array;
  /** The pseudonym in it, which the result must be bound to (SR-21). */
  readonly handle: Uint8Array;
}

/** @returns the evidence, or the first fault of a port */
export const collectEvidence = async ({ tpm, keys, bootLog }: Collector, question: Question): Promise<Result<Collected>> => {
  const log = await bootLog.read();
  if (!log.ok) return log;
  const handle = await keys.handle(question.relyingParty, question.epoch);
  if (!handle.ok) return handle;
  const key = await keys.publicKey('attestation');
  if (!key.ok) return key;

  const claims = encodeClaims({ ...question, handle: handle.value });
  const bootLogDigest = createHash('sha256').update(log.value).digest();
  const postQuantumKey = key.value.postQuantum;
  const quote = await tpm.quote(qualifyingData({ ...question, claims, bootLogDigest, postQuantumKey }), attestedPcrs);
  if (!quote.ok) return quote;
  const { payload, signed } = evidenceInput({
    purpose: question.purpose,
    verifier: question.verifier,
    claims,
    quote: quote.value,
    pcrs: attestedPcrs,
    bootLog: question.needsLog ? { digest: bootLogDigest, bytes: log.value } : { digest: bootLogDigest },
    postQuantumKey,
  });
  const signature = await keys.sign('attestation', signed);
  return signature.ok ? ok({ evidence: encodeEvidence(payload, signature.value.postQuantum), handle: handle.value }) : signature;
};
