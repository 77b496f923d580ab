/**
 * The pure verifier: evidence, the session it answers, what is known of the device, reference values and policy in,
 * an appraisal out. No clock, no store, no network: the same inputs give the same answer for ever.
 *
 * Evidence that contradicts itself is refused. Evidence that is genuine but shows a state that no reference names is
 * appraised, as `contraindicated`: authentic bad news.
 */
import { createHash } from 'node:crypto';
import { type Claims, decodeClaims } from '#attestation/claims';
import { checkClock } from '#attestation/clock';
import { bankAlgorithms } from '#attestation/eventlog/algorithms';
import { parseEventLog } from '#attestation/eventlog/parse';
import { replayBank } from '#attestation/eventlog/replay';
import { type BootFacts, checkSemantics } from '#attestation/eventlog/semantics';
import { decodeEvidence, type Evidence, type Purpose, qualifyingData, type SignedEvidence } from '#attestation/evidence';
import { verifyQuote } from '#attestation/quote';
import { matchReferences, type ReferenceSet } from '#attestation/references';
import type { Status, TrustClaim } from '#attestation/result';
import { equalBytes } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { ClockInfo, QuoteAttest } from '#hal/tpm/attest';

/** The challenge that the evidence must answer. */
export interface Session {
  readonly purpose: Purpose;
  readonly verifier: string;
  readonly relyingParty: string;
  /** 32 bytes, used once. */
  readonly nonce: Uint8Array;
  /** What the device sent to be echoed. */
  readonly deviceNonce: Uint8Array;
  readonly expiresMs: number;
}

/** What the verifier knows of this device. */
export interface Endorsements {
  /** Uncompressed P-256 point of the attestation key. */
  readonly attestationKey: Uint8Array;
  /** ML-DSA-65 public key. */
  readonly postQuantumKey: Uint8Array;
  /** The TPM's clock when it last attested. */
  readonly lastClock?: ClockInfo;
}

export interface AppraisalPolicy {
  readonly name: string;
  /** Registers that a quote must cover. */
  readonly requiredPcrs: readonly number[];
  readonly requiresSecureBoot: boolean;
}

export interface Appraisal {
  readonly status: Status;
  readonly trustVector: Readonly<Partial<Record<TrustClaim, number>>>;
  readonly claims: Claims;
  readonly clock: ClockInfo;
  readonly bootLogDigest: Uint8Array;
  /** The reference set that the boot matched. */
  readonly matched?: string;
}

export interface AppraisalInput {
  readonly evidence: Uint8Array;
  readonly session: Session;
  readonly endorsements: Endorsements;
  readonly references: readonly ReferenceSet[];
  readonly policy: AppraisalPolicy;
  /** A boot log that was sent before, by its digest. */
  readonly knownLog: (digest: Uint8Array) => Uint8Array | undefined;
  readonly nowMs: number;
}

/** @returns the appraisal, or the first refusal in the order of the steps; every reason is of `attestation` */
export const appraise = (crypto: CryptoBackend, input: AppraisalInput): Result<Appraisal> => {
  const { session, endorsements, policy } = input;
  const signed = decodeEvidence(input.evidence);
  if (!signed.ok) return signed;
  const { evidence } = signed.value;

  const answered = checkSession(evidence, session, input.nowMs);
  if (!answered.ok) return answered;
  const claims = checkClaims(evidence, session);
  if (!claims.ok) return claims;
  const quote = checkQuote(crypto, evidence, claims.value, session, endorsements, policy);
  if (!quote.ok) return quote;
  const postQuantum = checkPostQuantum(crypto, signed.value, endorsements);
  if (!postQuantum.ok) return postQuantum;
  const clock = checkClock(endorsements.lastClock, quote.value.clock);
  if (!clock.ok) return clock;
  const boot = checkBootLog(evidence, input.knownLog);
  if (!boot.ok) return boot;

  const matched = matchReferences(boot.value.facts, boot.value.sha256Column, input.references);
  const isConfigured = !policy.requiresSecureBoot || boot.value.facts.secureBoot === true;
  return ok({
    status: matched !== undefined && isConfigured ? 'affirming' : 'contraindicated',
    trustVector: {
      'instance-identity': trust.recognizedInstance,
      configuration: isConfigured ? trust.approvedConfiguration : trust.unsupportableConfiguration,
      executables: matched !== undefined ? trust.approvedBoot : trust.contraindicatedExecutables,
    },
    claims: claims.value,
    clock: quote.value.clock,
    bootLogDigest: evidence.bootLog.digest,
    ...(matched === undefined ? {} : { matched }),
  });
};

/** Claim values of draft-ietf-rats-ar4si §2.3.4. */
const trust = {
  recognizedInstance: 2,
  approvedConfiguration: 2,
  unsupportableConfiguration: 96,
  approvedBoot: 3,
  contraindicatedExecutables: 99,
} as const;

const checkSession = (evidence: Evidence, session: Session, nowMs: number): Result<void> => {
  if (nowMs > session.expiresMs) return deny('attestation', 'nonce-expired');
  if (evidence.purpose !== session.purpose || evidence.verifier !== session.verifier)
    return deny('attestation', 'binding-mismatch', 'purpose or verifier');
  return done;
};

const checkClaims = (evidence: Evidence, session: Session): Result<Claims> => {
  const claims = decodeClaims(evidence.claims);
  if (!claims.ok) return claims;
  if (!equalBytes(claims.value.nonce, session.nonce)) return deny('attestation', 'nonce-mismatch');
  if (!equalBytes(claims.value.deviceNonce, session.deviceNonce)) return deny('attestation', 'binding-mismatch', 'device nonce');
  if (claims.value.relyingParty !== session.relyingParty) return deny('attestation', 'binding-mismatch', 'relying party');
  return claims;
};

const checkPostQuantum = (
  crypto: CryptoBackend,
  { evidence, signed, signature }: SignedEvidence,
  endorsements: Endorsements,
): Result<void> => {
  if (!equalBytes(evidence.postQuantumKey, endorsements.postQuantumKey)) return deny('attestation', 'pq-key');
  return crypto.mlDsa65.verify(endorsements.postQuantumKey, signed, signature) ? done : deny('attestation', 'pq-signature');
};

const checkQuote = (
  crypto: CryptoBackend,
  evidence: Evidence,
  claims: Claims,
  session: Session,
  endorsements: Endorsements,
  policy: AppraisalPolicy,
): Result<QuoteAttest> => {
  if (!policy.requiredPcrs.every((pcr) => evidence.pcrs.includes(pcr)))
    return deny('attestation', 'pcr-selection', 'a required register is missing');
  const binding = qualifyingData({
    purpose: session.purpose,
    verifier: session.verifier,
    nonce: session.nonce,
    claims: evidence.claims,
    bootLogDigest: evidence.bootLog.digest,
    postQuantumKey: endorsements.postQuantumKey,
    confirmationKey: claims.confirmationKey,
  });
  return verifyQuote(crypto, evidence.quote, endorsements.attestationKey, evidence.pcrs, binding);
};

interface CheckedBoot {
  readonly facts: BootFacts;
  readonly sha256Column: number;
}

/** The log is the one that the quote names, leads to exactly the quoted registers, and does not contradict itself. */
const checkBootLog = ({ bootLog, quote, pcrs }: Evidence, knownLog: AppraisalInput['knownLog']): Result<CheckedBoot> => {
  const bytes = bootLog.bytes ?? knownLog(bootLog.digest);
  if (bytes === undefined) return deny('attestation', 'log-missing');
  if (!equalBytes(createHash('sha256').update(bytes).digest(), bootLog.digest))
    return deny('attestation', 'binding-mismatch', 'boot log digest');
  const replayed = replayAgainst(bytes, pcrs, quote.pcrValues);
  if (!replayed.ok) return replayed;
  const facts = checkSemantics(replayed.value.log, { banks: ['sha256'] });
  return facts.ok ? ok({ facts: facts.value, sha256Column: replayed.value.sha256Column }) : facts;
};

/**
 * Replay a boot log against registers read or quoted; also how the device looks at itself.
 * @returns the parsed log, or `attestation/log-malformed`, `attestation/log-replay` naming the first register that differs
 */
export const replayAgainst = (bytes: Uint8Array, pcrs: readonly number[], values: readonly Uint8Array[]) => {
  const log = parseEventLog(bytes);
  if (!log.ok) return log;
  const sha256Column = log.value.algorithms.indexOf(bankAlgorithms.sha256);
  const replayed = replayBank(log.value, 'sha256');
  if (replayed === undefined) return deny('attestation', 'log-replay', 'no SHA-256 bank');
  for (const [position, pcr] of pcrs.entries()) {
    const expected = replayed.get(pcr) ?? initialValue(pcr);
    if (!equalBytes(values[position] ?? none, expected)) return deny('attestation', 'log-replay', `register ${pcr}`);
  }
  for (const pcr of replayed.keys())
    if (!pcrs.includes(pcr)) return deny('attestation', 'pcr-selection', `register ${pcr} is in the log, not in the quote`);
  return ok({ log: log.value, sha256Column });
};

/** Registers 17 to 22 start as ones, the others as zeros (PC Client Platform TPM Profile 1.05 §4.6). */
const initialValue = (pcr: number): Uint8Array => new Uint8Array(32).fill(pcr >= 17 && pcr <= 22 ? 0xff : 0);
const none = new Uint8Array();
