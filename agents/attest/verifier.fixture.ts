/** For tests: a verifier that appraises nothing and signs whatever a test wants said, over the real messages. */
import { activatedSecret } from '#agents/hands/hands.fixture';
import { decodeClaims } from '#attestation/claims';
import { enrolmentProof } from '#attestation/enrolment';
import { decodeEvidence } from '#attestation/evidence';
import { type AttestationResult, signResult, type VerifierKeys } from '#attestation/result';
import { type VerifierMethods, verifierMethods } from '#attestation/verifier-methods';
import { encodeMessage } from '#hal/core/message';
import { deny, type Fault, ok, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { seededRandom } from '#hal/memory/random';
import { dispatcher } from '#hal/remote/dispatcher';
import { exchangeClient } from '#hal/remote/exchange-client';
import { answerExchange } from '#hal/remote/exchange-server';
import type { Client, Handlers } from '#hal/remote/methods';
import type { EnrolBegin } from '#protos/gen/types';

const random = seededRandom('verifier of a test');
const secrets: VerifierKeys = { classical: random.bytes(32), postQuantum: random.bytes(32) };
export const otherSecrets: VerifierKeys = { classical: random.bytes(32), postQuantum: random.bytes(32) };
export const verifierName = 'the-verifier';
export const verifierKeys: VerifierKeys = {
  classical: nodeCrypto.ed25519.publicKey(secrets.classical),
  postQuantum: nodeCrypto.mlDsa65.publicKey(secrets.postQuantum),
};
/** How a device of these tests is told of it. */
export const trustedVerifier = { name: verifierName, keys: [verifierKeys], isRevoked: () => false };
export const session = random.bytes(16);
export const nonce = random.bytes(32);
export const deviceId = random.bytes(16);
export const lifeSeconds = 600;

export interface TestVerifier {
  readonly client: Pick<Client<VerifierMethods>, 'call'>;
  /** Each evidence that came, and whether the boot log was in it. */
  readonly evidence: { readonly hasLog: boolean }[];
  /** Changes what the verifier signs; undefined fields are as the evidence claims. */
  says: Partial<AttestationResult>;
  /** Whose keys sign. */
  secrets: VerifierKeys;
  /** How it calls itself in the challenge. */
  name: string;
  /** Refuses instead: by method, once for each fault in the list, then no more. */
  readonly refuses: Partial<Record<keyof VerifierMethods, Fault[]>>;
  /** Whether the proof of the newest enrolment was right. */
  isProven: boolean;
}

/** @param nowSeconds when results are issued */
export const testVerifier = (nowSeconds: () => number): TestVerifier => {
  let begun: EnrolBegin | undefined;
  const sign = (evidence: Uint8Array): Result<Uint8Array> => {
    const decoded = unwrap(decodeEvidence(evidence)).evidence;
    const claims = unwrap(decodeClaims(decoded.claims));
    verifier.evidence.push({ hasLog: decoded.bootLog.bytes !== undefined });
    const result: AttestationResult = {
      ...claims,
      verifier: verifierName,
      status: 'affirming',
      trustVector: {},
      tpmClass: 'software',
      policy: 'the-policy',
      issuedAtSeconds: nowSeconds(),
      expiresAtSeconds: nowSeconds() + lifeSeconds,
      ...verifier.says,
    };
    return ok(signResult(nodeCrypto, result, verifier.secrets));
  };
  const refusalOf = (method: keyof VerifierMethods) => {
    const fault = verifier.refuses[method]?.shift();
    return fault === undefined ? undefined : ({ ok: false, fault } as const);
  };
  const handlers: Handlers<VerifierMethods> = {
    'enrol.begin': async (begin) => {
      begun = begin;
      const credential = { credentialBlob: new Uint8Array(50), encryptedSecret: new Uint8Array(70) };
      return refusalOf('enrol.begin') ?? ok({ session, nonce, verifier: verifier.name, ...credential });
    },
    'enrol.finish': async ({ proof, evidence }) => {
      const refused = refusalOf('enrol.finish');
      if (refused !== undefined) return refused;
      if (begun === undefined) return deny('attestation', 'nonce-expired');
      const right = enrolmentProof(activatedSecret, encodeMessage('EnrolBegin', begun), session, nonce);
      verifier.isProven = Buffer.compare(right, proof) === 0;
      const result = sign(evidence);
      return result.ok ? ok({ device: deviceId, result: result.value }) : result;
    },
    'attest.begin': async () =>
      refusalOf('attest.begin') ?? ok({ session, nonce, verifier: verifier.name, expiresMs: nowSeconds() * 1000 + 60_000 }),
    'attest.finish': async ({ evidence }) => {
      const refused = refusalOf('attest.finish');
      if (refused !== undefined) {
        verifier.evidence.push({ hasLog: unwrap(decodeEvidence(evidence)).evidence.bootLog.bytes !== undefined });
        return refused;
      }
      const result = sign(evidence);
      return result.ok ? ok({ result: result.value }) : result;
    },
  };
  const door = dispatcher(verifierMethods, handlers);
  const post = async (_: string, body: Uint8Array, signal: AbortSignal) => ok(await answerExchange(door, body, signal));
  const verifier: TestVerifier = {
    client: exchangeClient(verifierMethods, { post }, 'verifier'),
    evidence: [],
    says: {},
    secrets,
    name: verifierName,
    refuses: {},
    isProven: false,
  };
  return verifier;
};
