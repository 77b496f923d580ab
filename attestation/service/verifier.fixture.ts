/** A verifier behind its wire, and what an honest device says to it in both round trips of an enrolment and of an attestation. */
import { DatabaseSync } from 'node:sqlite';
import { nowMs } from '#attestation/certificates.fixture';
import type { Claims } from '#attestation/claims';
import type { EndorsementRoot } from '#attestation/endorsement';
import { enrolmentProof } from '#attestation/enrolment';
import { pcrs, referenceOf } from '#attestation/forger.fixture';
import { type AttestationResult, type TpmClass, verifyResult } from '#attestation/result';
import { verifierMethods } from '#attestation/verifier-methods';
import { encodeMessage } from '#hal/core/message';
import { ok, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import type { TestAuthority } from '#hal/linux/certificates.fixture';
import { virtualClock } from '#hal/memory/clock';
import { seededRandom } from '#hal/memory/random';
import { dispatcher } from '#hal/remote/dispatcher';
import { exchangeClient } from '#hal/remote/exchange-client';
import { answerExchange } from '#hal/remote/exchange-server';
import type { EnrolBegin } from '#protos/gen/types';
import type { Asked, TestDevice } from './device.fixture.ts';
import { sqliteVerifierStore } from './store.ts';
import { enrolmentParty, verifierService } from './verifier.ts';

export const random = seededRandom('verifier');
const secrets = { classical: random.bytes(32), postQuantum: random.bytes(32) };
export const keys = {
  classical: nodeCrypto.ed25519.publicKey(secrets.classical),
  postQuantum: nodeCrypto.mlDsa65.publicKey(secrets.postQuantum),
};
export const name = 'the-verifier';
export const resultOf = ({ result }: { readonly result: Uint8Array }): AttestationResult =>
  unwrap(verifyResult(nodeCrypto, result, keys));

export interface BenchOptions {
  /** Whom it believes about TPMs. */
  readonly maker: TestAuthority;
  readonly tpmClass: TpmClass;
  readonly tenant: 'test' | 'production';
  /** Of the boot that a release names. */
  readonly log: Uint8Array;
}

export type VerifierBench = ReturnType<typeof verifierBench>;

/** @param path of its database */
export const verifierBench = (path: string, { maker, tpmClass, tenant, log }: BenchOptions) => {
  const clock = virtualClock(nowMs);
  const store = sqliteVerifierStore(path);
  const roots: EndorsementRoot[] = [{ certificate: maker.certificate, tpmClass, profile: 'tcg' }];
  const service = verifierService({
    name,
    crypto: nodeCrypto,
    clock,
    random,
    store,
    secrets,
    roots,
    intermediates: [],
    references: () => [referenceOf(log)],
    policy: { name: 'the-policy', requiredPcrs: pcrs, requiresSecureBoot: true },
    tenant,
    endorsementSalt: random.bytes(32),
  });
  const door = dispatcher(verifierMethods, service);
  const exchange = {
    post: async (_: string, body: Uint8Array, signal: AbortSignal) => ok(await answerExchange(door, body, signal)),
  };
  const { call } = exchangeClient(verifierMethods, exchange, name);
  const database = new DatabaseSync(path);

  /** The first round trip. */
  const beginEnrolment = async (device: TestDevice, changed: Partial<EnrolBegin> = {}) => {
    const begin = { ...device.begin(), ...changed };
    return { begin, challenge: unwrap(await call('enrol.begin', begin)) };
  };
  type Begun = Awaited<ReturnType<typeof beginEnrolment>>;
  const askedOf = ({ begin, challenge }: Begun): Asked => ({
    purpose: 'enrol',
    verifier: challenge.verifier,
    nonce: challenge.nonce,
    deviceNonce: begin.deviceNonce,
    relyingParty: enrolmentParty,
  });
  const proofOf = (secret: Uint8Array, { begin, challenge }: Begun) =>
    enrolmentProof(secret, encodeMessage('EnrolBegin', begin), challenge.session, challenge.nonce);
  /** The second. */
  const finishEnrolment = async (device: TestDevice, begun: Begun, claims: Partial<Claims> = {}) => {
    const proof = proofOf(unwrap(await device.tpm.activate(begun.challenge)), begun);
    const evidence = await device.evidence(askedOf(begun), claims);
    return call('enrol.finish', { session: begun.challenge.session, proof, evidence });
  };
  const beginAttestation = async (id: Uint8Array, relyingParty = 'account') => {
    const deviceNonce = random.bytes(32);
    const challenge = unwrap(await call('attest.begin', { device: id, relyingParty, deviceNonce }));
    const asked: Asked = { purpose: 'attest', verifier: challenge.verifier, nonce: challenge.nonce, deviceNonce, relyingParty };
    return { challenge, asked };
  };
  return {
    clock,
    store,
    call,
    beginEnrolment,
    askedOf,
    proofOf,
    finishEnrolment,
    enrol: async (device: TestDevice) => finishEnrolment(device, await beginEnrolment(device)),
    beginAttestation,
    attest: async (device: TestDevice, id: Uint8Array, claims: Partial<Claims> = {}, isLogSent = true) => {
      const { challenge, asked } = await beginAttestation(id);
      const evidence = await device.evidence(asked, claims, isLogSent);
      return call('attest.finish', { session: challenge.session, evidence });
    },
    /** How many records there are: no method of the service tells. */
    records: () => Number(database.prepare('SELECT count(*) AS records FROM device').get()?.['records']),
    close: () => {
      database.close();
      store.close();
    },
  };
};
