/** The reference identity issuer and account service: small, honest, and each with a key of its own. */

import { assertionType, sessionType, statementAudience } from '#agents/session/statements';
import { encodeMessage } from '#hal/core/message';
import { sealEnvelope } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import type { HybridSecretKey } from '#hal/crypto/suites';
import type { Clock } from '#hal/ports/clock';
import type { Permission, RecoveryState, SessionState } from '#protos/gen/types';

export interface Issuer {
  /** A person has signed in with two factors. */
  assertIdentity(subject: Uint8Array, lifeMs?: number): Uint8Array;
  /** What the account service says about a session now; each statement has a higher sequence than the one before. */
  stateSession(session: SessionFacts): Uint8Array;
}

export interface SessionFacts {
  readonly session: Uint8Array;
  readonly subject: Uint8Array;
  /** Handle of the device that the session was opened on, as the account service knows it. */
  readonly handle: Uint8Array;
  readonly state?: SessionState;
  readonly recovery?: RecoveryState;
  readonly permission?: Permission;
  readonly lifeMs?: number;
}

const defaultLifeMs = 60 * 60_000;

export const referenceIssuer = (clock: Clock, identityKey: HybridSecretKey, accountKey: HybridSecretKey): Issuer => {
  // Rises over restarts of the simulator too: a device remembers how far a session has come.
  let sequence = Math.floor(clock.nowMs());
  const header = (key: HybridSecretKey, payloadType: string) => ({ suite: key.suite, audience: statementAudience, payloadType });
  const times = (lifeMs: number) => ({ issuedMs: Math.floor(clock.nowMs()), expiresMs: Math.floor(clock.nowMs() + lifeMs) });
  return {
    assertIdentity(subject, lifeMs = defaultLifeMs) {
      const payload = encodeMessage('IdentityAssertion', {
        issuer: 'reference-issuer',
        subject,
        assurance: 'multi-factor',
        ...times(lifeMs),
      });
      return sealEnvelope(nodeCrypto, header(identityKey, assertionType), payload, [identityKey]);
    },
    stateSession({ state = 'open', recovery = 'none', permission = 'granted', lifeMs = defaultLifeMs, ...session }) {
      sequence += 1;
      const payload = encodeMessage('SessionStatement', {
        ...session,
        sequence,
        state,
        recovery,
        permission,
        ...times(lifeMs),
      });
      return sealEnvelope(nodeCrypto, header(accountKey, sessionType), payload, [accountKey]);
    },
  };
};
