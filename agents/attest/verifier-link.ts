/** Enrolment and attestation from the device's side: challenge, evidence, result; and what a result must hold. */
import { commandParty } from '#agents/fleet/command-methods';
import { maxParties, ownParty } from '#agents/mind/trust';
import { directorParty } from '#agents/update/director-methods';
import { enrolmentProof } from '#attestation/enrolment';
import { type AttestationResult, type VerifierKeys, verifyResult } from '#attestation/result';
import type { VerifierMethods } from '#attestation/verifier-methods';
import { equalBytes } from '#hal/core/bytes';
import { unlessAborted } from '#hal/core/deadline';
import { inTurn } from '#hal/core/in-turn';
import { encodeMessage } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { IsRevoked } from '#hal/crypto/envelope';
import { deviceKeyId } from '#hal/crypto/succession';
import type { Random } from '#hal/ports/random';
import type { Client } from '#hal/remote/methods';
import { type Collector, collectEvidence, type Question } from './collect.ts';

export interface VerifierLink {
  /** Two round trips. @returns the name the verifier gave us and the first result */
  enrol(device: DeviceIdentity, signal: AbortSignal): Promise<Result<Enrolled>>;
  /**
   * One directed challenge for one relying party.
   * @param rollout for a director: digest of the buckets that it will be told, which evidence and result then carry
   */
  attest(
    device: DeviceIdentity & { readonly id: Uint8Array },
    relyingParty: string,
    signal: AbortSignal,
    rollout?: Uint8Array,
  ): Promise<Result<AttestationResult>>;
  /** Undefined before a result for this party came in this life of the mind. */
  passport(relyingParty: string): Passport | undefined;
}

/** What a relying party is shown (RFC 9334 §5.1): the newest result as it was signed, and proof of the key it is bound to. */
export interface Passport {
  readonly result: Uint8Array;
  /** Ed25519, 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

export interface DeviceIdentity {
  readonly bootId: Uint8Array;
  readonly epoch: number;
}

export interface Enrolled {
  readonly device: Uint8Array;
  readonly result: AttestationResult;
}

export interface VerifierLinkParts {
  readonly client: Pick<Client<VerifierMethods>, 'call'>;
  readonly collector: Collector;
  readonly crypto: CryptoBackend;
  readonly random: Random;
  /** The verifier that this device trusts, by configuration; one that changes its keys has two for a while. */
  readonly verifier: { readonly name: string; readonly keys: readonly VerifierKeys[]; readonly isRevoked: IsRevoked };
}

interface Party {
  /** Seed of the confirmation key. */
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  result?: Uint8Array;
}

const enrolmentParty = 'enrolment';
/** An app may name any relying party: what it asks for does not push out what the device itself lives by. */
const keptParties: readonly string[] = [ownParty, commandParty, directorParty, enrolmentParty];
const none = new Uint8Array();

export const verifierLink = ({ client, collector, crypto, random, verifier }: VerifierLinkParts): VerifierLink => {
  // One confirmation key a relying party, for this life of the mind or until too many others came.
  const parties = new Map<string, Party>();
  const partyOf = (relyingParty: string): Party => {
    const known = parties.get(relyingParty);
    if (known !== undefined) return known;
    const oldest = [...parties.keys()].find((name) => !keptParties.includes(name));
    if (parties.size >= maxParties && oldest !== undefined) parties.delete(oldest);
    const secret = random.bytes(32);
    const party = { secret, publicKey: crypto.ed25519.publicKey(secret) };
    parties.set(relyingParty, party);
    return party;
  };
  /** Boots whose log the verifier has seen affirmed. */
  let isLogKnown = false;

  const verified = (bytes: Uint8Array): Result<AttestationResult> => {
    let result: Result<AttestationResult> = deny('attestation', 'result-signature', 'no key of the verifier');
    for (const keys of verifier.keys) {
      result = verifyResult(crypto, bytes, keys);
      if (!result.ok && result.fault.reason === 'result-signature') continue;
      return verifier.isRevoked(deviceKeyId(crypto, keys)) ? deny('integrity', 'key-revoked', 'verifier') : result;
    }
    return result;
  };
  const accept = (bytes: Uint8Array, question: Question, handle: Uint8Array): Result<AttestationResult> => {
    const result = verified(bytes);
    if (!result.ok) return result;
    const isOurs =
      result.value.verifier === verifier.name &&
      result.value.relyingParty === question.relyingParty &&
      result.value.epoch === question.epoch &&
      equalBytes(result.value.handle, handle) &&
      equalBytes(result.value.deviceNonce, question.deviceNonce) &&
      equalBytes(result.value.confirmationKey, question.confirmationKey) &&
      equalBytes(result.value.bootId, question.bootId) &&
      equalBytes(result.value.rollout ?? none, question.rollout ?? none);
    if (!isOurs) return deny('attestation', 'result-audience');
    // A party that was forgotten meanwhile has no passport: its key is gone.
    const party = parties.get(question.relyingParty);
    if (party !== undefined && equalBytes(party.publicKey, question.confirmationKey)) party.result = bytes;
    return result;
  };

  const questionOf = (device: DeviceIdentity, relyingParty: string, purpose: Question['purpose']) => ({
    purpose,
    verifier: verifier.name,
    relyingParty,
    deviceNonce: random.bytes(32),
    epoch: device.epoch,
    bootId: device.bootId,
    confirmationKey: partyOf(relyingParty).publicKey,
  });

  const attestOnce = async (
    device: DeviceIdentity & { readonly id: Uint8Array },
    relyingParty: string,
    needsLog: boolean,
    signal: AbortSignal,
    rollout?: Uint8Array,
  ): Promise<Result<AttestationResult>> => {
    const asked = { ...questionOf(device, relyingParty, 'attest'), ...(rollout === undefined ? {} : { rollout }) };
    const challenge = await client.call(
      'attest.begin',
      { device: device.id, relyingParty, deviceNonce: asked.deviceNonce },
      { signal },
    );
    if (!challenge.ok) return challenge;
    if (challenge.value.verifier !== verifier.name) return deny('attestation', 'result-audience', 'another verifier');
    const question = { ...asked, nonce: challenge.value.nonce, needsLog };
    const collected = await collectEvidence(collector, question);
    if (!collected.ok) return collected;
    const { evidence, handle } = collected.value;
    const finished = await client.call('attest.finish', { session: challenge.value.session, evidence }, { signal });
    return finished.ok ? accept(finished.value.result, question, handle) : finished;
  };

  const enrolOnce: VerifierLink['enrol'] = async (device, signal) => {
    const identity = await collector.tpm.identity();
    if (!identity.ok) return identity;
    const key = await collector.keys.publicKey('attestation');
    if (!key.ok) return key;
    const asked = questionOf(device, enrolmentParty, 'enrol');
    const begin = { ...identity.value, postQuantumKey: key.value.postQuantum, deviceNonce: asked.deviceNonce };
    const challenge = await client.call('enrol.begin', begin, { signal });
    if (!challenge.ok) return challenge;
    const { session, nonce, credentialBlob, encryptedSecret } = challenge.value;
    if (challenge.value.verifier !== verifier.name) return deny('attestation', 'result-audience', 'another verifier');
    const secret = await collector.tpm.activate({ credentialBlob, encryptedSecret });
    if (!secret.ok) return secret;
    const proof = enrolmentProof(secret.value, encodeMessage('EnrolBegin', begin), session, nonce);
    const question = { ...asked, nonce, needsLog: true };
    const collected = await collectEvidence(collector, question);
    if (!collected.ok) return collected;
    const { evidence, handle } = collected.value;
    const done = await client.call('enrol.finish', { session, proof, evidence }, { signal });
    if (!done.ok) return done;
    const result = accept(done.value.result, question, handle);
    if (result.ok) isLogKnown = true;
    return result.ok ? ok({ device: done.value.device, result: result.value }) : result;
  };

  const turn = inTurn();
  /** One after the other: evidence that overtakes older evidence of ours shows the verifier a TPM that went back. */
  const alone = <T>(signal: AbortSignal, work: () => Promise<Result<T>>): Promise<Result<T>> =>
    turn(async () => (signal.aborted ? deny('unavailable', 'aborted') : unlessAborted(work(), signal)));

  return {
    enrol: (device, signal) => alone(signal, () => enrolOnce(device, signal)),

    passport(relyingParty) {
      const party = parties.get(relyingParty);
      if (party?.result === undefined) return undefined;
      const { secret, result } = party;
      return { result, sign: (message) => crypto.ed25519.sign(secret, message) as Uint8Array };
    },

    attest: (device, relyingParty, signal, rollout) =>
      alone(signal, async () => {
        const result = await attestOnce(device, relyingParty, !isLogKnown, signal, rollout);
        const isLogWanted = !result.ok && result.fault.reason === 'log-missing' && isLogKnown;
        if (result.ok) isLogKnown = true;
        return isLogWanted ? attestOnce(device, relyingParty, true, signal, rollout) : result;
      }),
  };
};
