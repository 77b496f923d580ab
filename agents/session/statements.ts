/**
 * What the identity issuer and the account service say, verified (steps 1 and 2 of the mission's reference flow).
 *
 * A statement about a person or a session becomes a fact, one among eleven; by itself it allows nothing. A session
 * belongs to the device it was opened on: on another one it is a new trust event, not an open session.
 */

import type { Actor, Session } from '#agents/decision/facts';
import { toHex } from '#hal/core/bytes';
import { decodeMessage } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type EnvelopePolicy, type IsRevoked, openEnvelope } from '#hal/crypto/envelope';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import type { IdentityAssertion, SessionStatement } from '#protos/gen/types';

export const statementAudience = 'enigm-device';
export const assertionType = 'identity-assertion';
export const sessionType = 'session-statement';

/** Keys of the two services: distinct classes, so one cannot speak for the other (SR-03). */
export interface StatementKeys {
  readonly identity: readonly HybridPublicKey[];
  readonly account: readonly HybridPublicKey[];
  readonly isRevoked: IsRevoked;
}

export type Statement =
  | { readonly kind: 'identity'; readonly actor: Actor; readonly expiresMs: number }
  | {
      readonly kind: 'session';
      readonly session: Session;
      readonly id: string;
      readonly sequence: number;
      readonly expiresMs: number;
    };

/** A statement lives at most this long, whatever it says. */
export const maxLifeMs = 24 * 3_600_000;
/** Clocks of services and devices differ by this much. */
const skewMs = 2 * 60_000;

/**
 * @param payloadType which of the two it is claimed to be
 * @returns the statement, or a fault of `openEnvelope`, `identity/assertion-expired`, `identity/assertion-not-yet-valid`
 */
export const openStatement = (
  crypto: CryptoBackend,
  envelope: Uint8Array,
  payloadType: string,
  keys: StatementKeys,
  nowMs: number,
): Result<Statement> => {
  const policy = (trusted: readonly HybridPublicKey[]): EnvelopePolicy => ({
    suite: hybridSignatureSuites['enigm-ed25519-mldsa65'],
    audience: statementAudience,
    payloadType,
    keys: trusted,
    threshold: 1,
    isRevoked: keys.isRevoked,
  });
  if (payloadType === assertionType) {
    const opened = openEnvelope(crypto, envelope, policy(keys.identity));
    const assertion = opened.ok ? decodeMessage('IdentityAssertion', opened.value.payload) : opened;
    return assertion.ok ? identityOf(assertion.value, nowMs) : assertion;
  }
  if (payloadType === sessionType) {
    const opened = openEnvelope(crypto, envelope, policy(keys.account));
    const statement = opened.ok ? decodeMessage('SessionStatement', opened.value.payload) : opened;
    return statement.ok ? sessionOf(statement.value, nowMs) : statement;
  }
  return deny('integrity', 'payload-type', payloadType);
};

const identityOf = (assertion: IdentityAssertion, nowMs: number): Result<Statement> => {
  const expiresMs = validUntil(assertion, nowMs);
  return expiresMs.ok
    ? ok({
        kind: 'identity',
        actor: { subject: toHex(assertion.subject), assurance: assertion.assurance },
        expiresMs: expiresMs.value,
      })
    : expiresMs;
};

const sessionOf = (statement: SessionStatement, nowMs: number): Result<Statement> => {
  const expiresMs = validUntil(statement, nowMs);
  if (!expiresMs.ok) return expiresMs;
  const { subject, handle, state, recovery, permission = 'unsaid', sequence } = statement;
  return ok({
    kind: 'session',
    session: { subject: toHex(subject), handle: toHex(handle), state, recovery, permission },
    id: toHex(statement.session),
    sequence,
    expiresMs: expiresMs.value,
  });
};

const validUntil = (
  { issuedMs, expiresMs }: { readonly issuedMs: number; readonly expiresMs: number },
  nowMs: number,
): Result<number> => {
  const untilMs = Math.min(expiresMs, issuedMs + maxLifeMs);
  if (nowMs > untilMs) return deny('identity', 'assertion-expired');
  return nowMs < issuedMs - skewMs ? deny('identity', 'assertion-not-yet-valid') : ok(untilMs);
};
