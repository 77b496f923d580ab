/** The reference intelligence service: it says category, band and expiry, and why it says so stays with it. */

import { outcomeAudience, outcomeType } from '#agents/defense/outcomes';
import { encodeMessage } from '#hal/core/message';
import { sealEnvelope } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import type { HybridSecretKey } from '#hal/crypto/suites';
import type { Clock } from '#hal/ports/clock';
import type { RiskBand, RiskCategory } from '#protos/gen/types';

export interface Enyra {
  /** What it concludes now, signed; each outcome has a higher sequence than the one before. */
  conclude(conclusion: Conclusion): Uint8Array;
  /** From now on somebody else speaks in its name, with a key of their own. */
  impersonate(): void;
}

export interface Conclusion {
  readonly category: RiskCategory;
  readonly band?: RiskBand;
  /** Without it the outcome is about the device. */
  readonly app?: string;
  /** Stops the app until the outcome expires. */
  readonly isBlock?: boolean;
  readonly lifeMs?: number;
  /** When it was issued, where that is not now. */
  readonly issuedMs?: number;
  /** The handle that the device has at this service, for an outcome that is for it alone. */
  readonly handle?: Uint8Array;
}

const defaultLifeMs = 10 * 60_000;

/** @param foreignKey of another class: what somebody has who would like to be the service */
export const referenceEnyra = (clock: Clock, key: HybridSecretKey, foreignKey: HybridSecretKey): Enyra => {
  let signer = key;
  // Rises over restarts of the simulator too: a device remembers how far it has come.
  let sequence = Math.floor(clock.nowMs());
  return {
    conclude({ category, band = 'strong', app, isBlock = false, lifeMs = defaultLifeMs, issuedMs = clock.nowMs(), handle }) {
      sequence += 1;
      const payload = encodeMessage('IntelligenceOutcome', {
        service: 'reference-enyra',
        sequence,
        category,
        band,
        ...(app === undefined ? {} : { app }),
        isBlock,
        issuedMs: Math.floor(issuedMs),
        expiresMs: Math.floor(issuedMs + lifeMs),
        ...(handle === undefined ? {} : { handle }),
      });
      const header = { suite: key.suite, audience: outcomeAudience, payloadType: outcomeType };
      return sealEnvelope(nodeCrypto, header, payload, [signer]);
    },
    impersonate: () => {
      signer = foreignKey;
    },
  };
};
