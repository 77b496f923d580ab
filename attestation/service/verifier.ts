/**
 * The verifier as a service: challenges, enrolment, appraisal, results. The judging itself is `appraise.ts`, pure.
 *
 * A record is written only after the TPM opened the credential and its first evidence was affirmed. A challenge is
 * answered once. A device has one handle for each relying party and epoch. Revoked TPMs stay revoked.
 */

import { type Appraisal, type AppraisalPolicy, appraise, type Endorsements, type Session } from '#attestation/appraise';
import { type EndorsementRoot, verifyEndorsement } from '#attestation/endorsement';
import { enrolmentProof } from '#attestation/enrolment';
import { decodeEvidence } from '#attestation/evidence';
import { attestationKeyPoint } from '#attestation/quote';
import type { ReferenceSet } from '#attestation/references';
import { signResult, type TpmClass, type VerifierKeys } from '#attestation/result';
import type { VerifierMethods } from '#attestation/verifier-methods';
import { equalBytes, toHex } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';
import type { Handlers } from '#hal/remote/methods';
import { makeCredential } from '#hal/tpm/credential';
import { nameOf, p256Point, parsePublic } from '#hal/tpm/public';
import type { EnrolBegin } from '#protos/gen/types';
import type { DeviceRecord, VerifierStore } from './store.ts';

export interface VerifierOptions {
  readonly name: string;
  readonly crypto: CryptoBackend;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: VerifierStore;
  /** The verifier's two signing seeds. */
  readonly secrets: VerifierKeys;
  readonly roots: readonly EndorsementRoot[];
  readonly intermediates: readonly Uint8Array[];
  readonly references: () => readonly ReferenceSet[];
  readonly policy: AppraisalPolicy;
  /** A production tenant takes no software or virtual TPM (SR-23). */
  readonly tenant: 'test' | 'production';
  /** Salt of the endorsement tags: 32 bytes, of this verifier alone. */
  readonly endorsementSalt: Uint8Array;
}

/** The relying party of the first result, which nobody but the device reads. */
export const enrolmentParty = 'enrolment';

const sessionLifeMs = 60_000;
const maxSessions = 4096;
/** A result is worth this long; a device renews it in time, and without one nothing is trusted. */
const resultLifeMs = 10 * 60_000;

interface EnrolSession extends Session {
  readonly begin: Uint8Array;
  readonly secret: Uint8Array;
  readonly record: Omit<DeviceRecord, 'id' | 'state' | 'clock'>;
}

interface AttestSession extends Session {
  readonly device: Uint8Array;
}

export const verifierService = (options: VerifierOptions): Handlers<VerifierMethods> => {
  const { crypto, clock, random, store } = options;
  const enrolments = sessionTable<EnrolSession>(options);
  const attestations = sessionTable<AttestSession>(options);

  const judge = (evidence: Uint8Array, session: Session, endorsements: Endorsements): Result<Appraisal> => {
    const appraised = appraise(crypto, {
      evidence,
      session,
      endorsements,
      references: options.references(),
      policy: options.policy,
      knownLog: (digest) => store.log(digest),
      nowMs: clock.nowMs(),
    });
    if (!appraised.ok) return appraised;
    const decoded = decodeEvidence(evidence);
    if (decoded.ok && decoded.value.evidence.bootLog.bytes !== undefined)
      store.saveLog(appraised.value.bootLogDigest, decoded.value.evidence.bootLog.bytes);
    return appraised;
  };

  const result = (appraisal: Appraisal, tpmClass: TpmClass): Uint8Array => {
    const nowMs = clock.nowMs();
    return signResult(
      crypto,
      {
        verifier: options.name,
        relyingParty: appraisal.claims.relyingParty,
        status: appraisal.status,
        trustVector: appraisal.trustVector,
        tpmClass,
        policy: options.policy.name,
        deviceNonce: appraisal.claims.deviceNonce,
        confirmationKey: appraisal.claims.confirmationKey,
        handle: appraisal.claims.handle,
        epoch: appraisal.claims.epoch,
        bootId: appraisal.claims.bootId,
        ...(appraisal.claims.rollout === undefined ? {} : { rollout: appraisal.claims.rollout }),
        issuedAtSeconds: Math.floor(nowMs / 1000),
        expiresAtSeconds: Math.floor((nowMs + resultLifeMs) / 1000),
      },
      options.secrets,
    );
  };

  return {
    'enrol.begin': async (begin) => {
      const endorsement = parsePublic(begin.endorsementPublic);
      if (!endorsement.ok) return endorsement;
      const attestation = parsePublic(begin.attestationPublic);
      if (!attestation.ok) return attestation;
      const attestationKey = attestationKeyPoint(attestation.value);
      if (!attestationKey.ok) return attestationKey;
      if (begin.postQuantumKey.length !== crypto.mlDsa65.publicKeyBytes) return deny('attestation', 'pq-key', 'size');
      const tpmClass = vouchedClass(options, begin, endorsement.value);
      if (!tpmClass.ok) return tpmClass;
      const endorsementPoint = p256Point(endorsement.value);
      if (endorsementPoint === undefined) return deny('attestation', 'algorithm', 'endorsement key');
      // Of the point alone: the area around it comes from the device, and could be written in another way (SR-19).
      const endorsementTag = crypto.hmac(options.endorsementSalt, endorsementPoint);
      if (store.isRevoked(endorsementTag)) return deny('attestation', 'endorsement-revoked');

      const secret = random.bytes(32);
      const credential = makeCredential(endorsement.value, nameOf(begin.attestationPublic), secret, random.bytes(32));
      if (!credential.ok) return credential;
      const nonce = random.bytes(32);
      const session = enrolments.open({
        purpose: 'enrol',
        verifier: options.name,
        relyingParty: enrolmentParty,
        nonce,
        deviceNonce: begin.deviceNonce,
        expiresMs: clock.nowMs() + sessionLifeMs,
        begin: encodeMessage('EnrolBegin', begin),
        secret,
        record: {
          endorsementTag,
          attestationKey: attestationKey.value,
          postQuantumKey: begin.postQuantumKey,
          tpmClass: tpmClass.value,
        },
      });
      return ok({ session, nonce, verifier: options.name, ...credential.value });
    },

    'enrol.finish': async ({ session: id, proof, evidence }) => {
      const session = enrolments.take(id);
      if (session === undefined) return deny('attestation', 'nonce-expired');
      if (!equalBytes(proof, enrolmentProof(session.secret, session.begin, id, session.nonce)))
        return deny('attestation', 'enrolment-proof');
      const appraisal = judge(evidence, session, session.record);
      if (!appraisal.ok) return appraisal;
      if (appraisal.value.status !== 'affirming') return deny('attestation', 'reference-mismatch');
      if (store.isRevoked(session.record.endorsementTag)) return deny('attestation', 'endorsement-revoked');
      const device = random.bytes(16);
      const record = { id: device, state: 'active', clock: appraisal.value.clock, ...session.record } as const;
      return store.enrol(record, appraisal.value.claims)
        ? ok({ device, result: result(appraisal.value, session.record.tpmClass) })
        : deny('handle', 'already-bound');
    },

    'attest.begin': async ({ device, relyingParty, deviceNonce }) => {
      const record = store.device(device);
      if (record === undefined || record.state === 'replaced') return deny('attestation', 'enrolment-unknown');
      if (record.state === 'revoked') return deny('handle', 'revoked');
      const nonce = random.bytes(32);
      const expiresMs = clock.nowMs() + sessionLifeMs;
      const session = attestations.open({
        purpose: 'attest',
        verifier: options.name,
        relyingParty,
        nonce,
        deviceNonce,
        expiresMs,
        device,
      });
      return ok({ session, nonce, verifier: options.name, expiresMs: Math.floor(expiresMs) });
    },

    'attest.finish': async ({ session: id, evidence }) => {
      const session = attestations.take(id);
      if (session === undefined) return deny('attestation', 'nonce-expired');
      const record = store.device(session.device);
      if (record === undefined || record.state !== 'active') return deny('attestation', 'enrolment-unknown');
      const appraisal = judge(evidence, session, {
        attestationKey: record.attestationKey,
        postQuantumKey: record.postQuantumKey,
        ...(record.clock === undefined ? {} : { lastClock: record.clock }),
      });
      if (!appraisal.ok) return appraisal;
      store.saveClock(record.id, appraisal.value.clock);
      // The handle of the claims becomes, or already is, the one that this device has there.
      return store.bindHandle(record.id, appraisal.value.claims)
        ? ok({ result: result(appraisal.value, record.tpmClass) })
        : deny('handle', 'already-bound');
    },
  };
};

const vouchedClass = (
  options: VerifierOptions,
  begin: EnrolBegin,
  endorsement: Parameters<typeof verifyEndorsement>[3],
): Result<TpmClass> => {
  if (begin.endorsementCertificate === undefined) return deny('attestation', 'key-untrusted', 'no endorsement certificate');
  const vouched = verifyEndorsement(
    begin.endorsementCertificate,
    options.intermediates,
    options.roots,
    endorsement,
    options.clock.nowMs(),
  );
  if (!vouched.ok || options.tenant === 'test') return vouched;
  return vouched.value === 'software' || vouched.value === 'virtual'
    ? deny('attestation', 'key-untrusted', `${vouched.value} TPM`)
    : vouched;
};

interface SessionTable<S> {
  /** @returns the id under which the session can be taken, once */
  open(session: S): Uint8Array;
  take(id: Uint8Array): S | undefined;
}

/** Open challenges; when there are too many the oldest is forgotten, and its device begins again. */
const sessionTable = <S extends Session>({ random, clock }: VerifierOptions): SessionTable<S> => {
  const open = new Map<string, S>();
  return {
    open(session) {
      for (const [key, { expiresMs }] of open) {
        if (expiresMs >= clock.nowMs() && open.size < maxSessions) break;
        open.delete(key);
      }
      const id = random.bytes(16);
      open.set(toHex(id), session);
      return id;
    },
    take(id) {
      const key = toHex(id);
      const session = open.get(key);
      open.delete(key);
      return session;
    },
  };
};
