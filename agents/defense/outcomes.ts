/**
 * What the intelligence service says, verified: a category, how sure it is, until when, and whether an app is to be
 * stopped. No feature and no reason comes with it.
 */
import { toHex } from '#hal/core/bytes';
import { decodeMessage } from '#hal/core/message';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type IsRevoked, openEnvelope } from '#hal/crypto/envelope';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import type { IntelligenceOutcome } from '#protos/gen/types';

export const outcomeAudience = 'enigm-device';
export const outcomeType = 'intelligence-outcome';

/** The relying party by whose handle the service knows a device. */
export const intelligenceParty = 'intelligence';

export interface Outcome extends IntelligenceOutcome {
  /** Who signed: the first 16 bytes of the key's id. */
  readonly signer: Uint8Array;
}

/** An outcome counts at most this long, whatever it says. */
const maxLifeMs = 24 * 3_600_000;
/** Clocks of services and devices differ by this much. */
const skewMs = 2 * 60_000;

export interface OutcomeExpectation {
  /** Keys of the intelligence service alone (SR-03). */
  readonly keys: readonly HybridPublicKey[];
  readonly isRevoked: IsRevoked;
  /** The device's own handle for `intelligenceParty`. */
  readonly handle: Uint8Array;
  readonly nowMs: number;
}

/**
 * @param envelope an `IntelligenceOutcome` in the one envelope, signed with both algorithms
 * @returns the outcome with its expiry bounded; a fault of `openEnvelope`, `intelligence/outcome-expired`,
 * `outcome-not-yet-valid`, `handle/outcome-of-another-device`, `protocol/field-invalid` for a block without an app
 */
export const openOutcome = (
  crypto: CryptoBackend,
  envelope: Uint8Array,
  { keys, isRevoked, handle, nowMs }: OutcomeExpectation,
): Result<Outcome> => {
  const opened = openEnvelope(crypto, envelope, {
    suite: hybridSignatureSuites['enigm-ed25519-mldsa65'],
    audience: outcomeAudience,
    payloadType: outcomeType,
    keys,
    threshold: 1,
    isRevoked,
  });
  if (!opened.ok) return opened;
  const decoded = decodeMessage('IntelligenceOutcome', opened.value.payload);
  if (!decoded.ok) return decoded;
  const outcome = decoded.value;
  const expiresMs = Math.min(outcome.expiresMs, outcome.issuedMs + maxLifeMs);
  if (nowMs > expiresMs) return deny('intelligence', 'outcome-expired');
  if (nowMs < outcome.issuedMs - skewMs) return deny('intelligence', 'outcome-not-yet-valid');
  if (outcome.isBlock && outcome.app === undefined) return deny('protocol', 'field-invalid', 'a block names its app');
  if (outcome.handle !== undefined && toHex(outcome.handle) !== toHex(handle)) return deny('handle', 'outcome-of-another-device');
  return ok({ ...outcome, expiresMs, signer: (opened.value.signers[0] ?? new Uint8Array()).slice(0, 16) });
};
