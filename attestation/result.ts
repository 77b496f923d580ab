/**
 * Attestation results: EAR (draft-ietf-rats-ear-04) as a CWT with exactly two signers, Ed25519 and ML-DSA-65.
 *
 * A result is for one relying party and one key of the device (`cnf`), carries the handle that the verifier bound,
 * answers the device's own nonce, and expires soon: without a fresh one nothing is trusted.
 */

import { bytesOf, confirmation, confirmationKeyOf, rolloutEntry, rolloutOf } from '#attestation/claims';
import { coseAlgorithm, decodeSign, encodeSign, signInput } from '#attestation/cose';
import { label, resultProfile } from '#attestation/labels';
import { type Cbor, decodeCbor, encodeCbor } from '#hal/core/cbor';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';

export type Status = 'affirming' | 'warning' | 'contraindicated';
export type TpmClass = 'discrete' | 'firmware' | 'virtual' | 'software';

export interface AttestationResult {
  readonly verifier: string;
  readonly relyingParty: string;
  readonly status: Status;
  /** AR4SI claims by name, draft-ietf-rats-ar4si; absent means no claim. */
  readonly trustVector: Readonly<Partial<Record<TrustClaim, number>>>;
  /** Set by the root that vouched for the TPM; it caps the posture level (SR-23). */
  readonly tpmClass: TpmClass;
  readonly policy: string;
  /** The device's own challenge. */
  readonly deviceNonce: Uint8Array;
  readonly confirmationKey: Uint8Array;
  readonly handle: Uint8Array;
  readonly epoch: number;
  readonly bootId: Uint8Array;
  /** As the evidence committed to it (SR-21); for a director alone. */
  readonly rollout?: Uint8Array;
  /** Seconds since 1970: time that answers our nonce (SR-16). */
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
}

/** draft-ietf-rats-ar4si §2.3, indices of the vector. */
const trustClaims = { 'instance-identity': 0, configuration: 1, executables: 2, hardware: 4 } as const;
export type TrustClaim = keyof typeof trustClaims;

/** Tiers of draft-ietf-rats-ar4si §3.1.1. */
const statusCodes: Readonly<Record<Status, number>> = { affirming: 2, warning: 32, contraindicated: 96 };
const submodule = 'device';
const signers = [coseAlgorithm.ed25519, coseAlgorithm.mlDsa65] as const;

export interface VerifierKeys {
  /** Ed25519: 32 bytes. */
  readonly classical: Uint8Array;
  /** ML-DSA-65: 1952 bytes. */
  readonly postQuantum: Uint8Array;
}

/** @param secrets the two 32-byte seeds of the verifier */
export const signResult = (crypto: CryptoBackend, result: AttestationResult, secrets: VerifierKeys): Uint8Array => {
  const payload = encodeResult(result);
  const classical = crypto.ed25519.sign(secrets.classical, signInput(coseAlgorithm.ed25519, payload));
  const postQuantum = crypto.mlDsa65.sign(secrets.postQuantum, signInput(coseAlgorithm.mlDsa65, payload));
  if (classical === undefined || postQuantum === undefined) throw new TypeError('the verifier cannot sign with its keys');
  return encodeSign(payload, [
    { algorithm: coseAlgorithm.ed25519, signature: classical },
    { algorithm: coseAlgorithm.mlDsa65, signature: postQuantum },
  ]);
};

/** @returns the result, or `attestation/result-signature`; who it is for and how old it is are the caller's questions */
export const verifyResult = (crypto: CryptoBackend, bytes: Uint8Array, keys: VerifierKeys): Result<AttestationResult> => {
  const sign = decodeSign(signers, bytes);
  if (!sign.ok) return deny('attestation', 'result-signature', sign.fault.detail);
  const { payload, signatures } = sign.value;
  const [classical, postQuantum] = signatures as [Uint8Array, Uint8Array];
  const isSigned =
    crypto.ed25519.verify(keys.classical, signInput(coseAlgorithm.ed25519, payload), classical) &&
    crypto.mlDsa65.verify(keys.postQuantum, signInput(coseAlgorithm.mlDsa65, payload), postQuantum);
  if (!isSigned) return deny('attestation', 'result-signature');
  const result = decodeResult(payload);
  return result === undefined ? deny('attestation', 'malformed', 'result') : ok(result);
};

const encodeResult = (result: AttestationResult): Uint8Array =>
  encodeCbor(
    new Map<number | string, Cbor>([
      [label.profile, resultProfile],
      [label.audience, result.relyingParty],
      [label.issuedAt, result.issuedAtSeconds],
      [label.expires, result.expiresAtSeconds],
      [label.confirmation, confirmation(result.confirmationKey)],
      [label.nonce, result.deviceNonce],
      [label.earVerifier, result.verifier],
      [label.submodules, new Map([[submodule, encodeSubmodule(result)]])],
      ['handle', result.handle],
      ['epoch', result.epoch],
      ['boot-id', result.bootId],
      ['tpm-class', result.tpmClass],
      ...rolloutEntry(result.rollout),
    ]),
  );

const encodeSubmodule = (result: AttestationResult): ReadonlyMap<number, Cbor> =>
  new Map<number, Cbor>([
    [label.earStatus, statusCodes[result.status]],
    [
      label.earTrustVector,
      new Map(Object.entries(result.trustVector).map(([claim, value]) => [trustClaims[claim as TrustClaim], value])),
    ],
    [label.earPolicy, result.policy],
  ]);

const decodeResult = (payload: Uint8Array): AttestationResult | undefined => {
  const decoded = decodeCbor(payload);
  if (!decoded.ok || !(decoded.value instanceof Map) || decoded.value.get(label.profile) !== resultProfile) return undefined;
  const map = decoded.value as ReadonlyMap<number | string, Cbor>;
  const submodules = map.get(label.submodules);
  const device = submodules instanceof Map ? submodules.get(submodule) : undefined;
  if (!(device instanceof Map)) return undefined;
  const vector = device.get(label.earTrustVector);
  const status = (Object.keys(statusCodes) as Status[]).find((name) => statusCodes[name] === device.get(label.earStatus));
  const confirmationKey = confirmationKeyOf(map.get(label.confirmation));
  const deviceNonce = bytesOf(map, label.nonce, 32);
  const handle = bytesOf(map, 'handle', 16);
  const bootId = bytesOf(map, 'boot-id', 16);
  const rollout = rolloutOf(map);
  const text = (key: number | string, from: ReadonlyMap<number | string, Cbor> = map) => {
    const value = from.get(key);
    return typeof value === 'string' ? value : undefined;
  };
  const whole = (key: number | string) => {
    const value = map.get(key);
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  };
  /** Whoever reads it has clocks in milliseconds. */
  const seconds = (key: number) => {
    const value = whole(key);
    return value !== undefined && Number.isSafeInteger(value * 1000) ? value : undefined;
  };
  const verifier = text(label.earVerifier);
  const relyingParty = text(label.audience);
  const policy = text(label.earPolicy, device);
  const tpmClass = (['discrete', 'firmware', 'virtual', 'software'] as const).find((name) => name === map.get('tpm-class'));
  const epoch = whole('epoch');
  const issuedAtSeconds = seconds(label.issuedAt);
  const expiresAtSeconds = seconds(label.expires);
  if (status === undefined || !(vector instanceof Map) || !confirmationKey || !deviceNonce || !handle || !bootId)
    return undefined;
  if (verifier === undefined || relyingParty === undefined || policy === undefined || tpmClass === undefined) return undefined;
  if (epoch === undefined || issuedAtSeconds === undefined || expiresAtSeconds === undefined || !rollout.ok) return undefined;
  const trustVector: Partial<Record<TrustClaim, number>> = {};
  for (const claim of Object.keys(trustClaims) as TrustClaim[]) {
    const value = vector.get(trustClaims[claim]);
    if (typeof value === 'number') trustVector[claim] = value;
  }
  return {
    verifier,
    relyingParty,
    status,
    trustVector,
    tpmClass,
    policy,
    deviceNonce,
    confirmationKey,
    handle,
    epoch,
    bootId,
    ...(rollout.value === undefined ? {} : { rollout: rollout.value }),
    issuedAtSeconds,
    expiresAtSeconds,
  };
};
