/** For tests: the identity issuer and the account service, each with a key of its own, and each field theirs to change. */
import { encodeMessage } from '#hal/core/message';
import { sealEnvelope } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import { type HybridSecretKey, hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { seededRandom } from '#hal/memory/random';
import type { IdentityAssertion, SessionStatement } from '#protos/gen/types';
import { assertionType, type StatementKeys, sessionType, statementAudience } from './statements.ts';

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const random = seededRandom('issuer');
export const identityKeys = hybridKeyPair(nodeCrypto, suite, random);
export const accountKeys = hybridKeyPair(nodeCrypto, suite, random);
export const statementKeys: StatementKeys = {
  identity: [identityKeys.publicKey],
  account: [accountKeys.publicKey],
  isRevoked: () => false,
};

/** When the statements are issued. */
export const issuedMs = Date.UTC(2026, 5, 1);
const hourMs = 3_600_000;

/** Who signs, for whom, as what; each as it should be unless a test says otherwise. */
export interface Sealing {
  readonly signer?: HybridSecretKey;
  readonly audience?: string;
  readonly payloadType?: string;
}

export const assertion: IdentityAssertion = {
  issuer: 'the-issuer',
  subject: random.bytes(16),
  assurance: 'multi-factor',
  issuedMs,
  expiresMs: issuedMs + hourMs,
};

export const statement: SessionStatement = {
  session: random.bytes(16),
  subject: assertion.subject,
  handle: random.bytes(16),
  sequence: 7,
  state: 'open',
  recovery: 'none',
  permission: 'granted',
  issuedMs,
  expiresMs: issuedMs + hourMs,
};

export const assertIdentity = (changed: Partial<IdentityAssertion> = {}, sealing: Sealing = {}): Uint8Array =>
  seal(encodeMessage('IdentityAssertion', { ...assertion, ...changed }), {
    signer: identityKeys.secretKey,
    payloadType: assertionType,
    ...sealing,
  });

export const stateSession = (changed: Partial<SessionStatement> = {}, sealing: Sealing = {}): Uint8Array =>
  seal(encodeMessage('SessionStatement', { ...statement, ...changed }), {
    signer: accountKeys.secretKey,
    payloadType: sessionType,
    ...sealing,
  });

export const seal = (
  payload: Uint8Array,
  {
    signer,
    audience = statementAudience,
    payloadType,
  }: Sealing & { readonly signer: HybridSecretKey; readonly payloadType: string },
): Uint8Array => sealEnvelope(nodeCrypto, { suite, audience, payloadType }, payload, [signer]);
