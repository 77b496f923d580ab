/**
 * Whose releases the hands write, for which hardware, and in which log they must stand: a file that they are started with.
 * No server and no mind can change it (SR-01).
 */
import { toBase64 } from '#hal/core/bytes';
import { base64, boolean, decodeJson, integer, list, object, optional } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import { type LogTrust, logTrustFields, logTrustJson, logTrustOf } from '#ota-client/transparency/log-trust';
import { hardwareId } from '#ota-client/trust/release';
import type { WrittenPolicy } from './updates.ts';

export interface ReleaseTrust {
  readonly hardware: string;
  /** One of these must have signed: the custodians of releases, those of repairs. Their signatures do not add up (SR-03). */
  readonly quorums: readonly ReleaseQuorum[];
  /** How long a committed release runs before the floor may rise. */
  readonly soakMs: number;
  /** Absent where these hands follow no log. */
  readonly log?: LogTrust;
}

export interface ReleaseQuorum {
  readonly keys: readonly HybridPublicKey[];
  readonly threshold: number;
  /** What they sign is written whatever the log says (SR-12). */
  readonly isRepair?: boolean;
}

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const decoder = object({
  version: integer(1, 1),
  hardware: hardwareId,
  quorums: list(
    object({
      isRepair: optional(boolean),
      threshold: integer(2, 16),
      keys: list(object({ classical: base64(32), postQuantum: base64(1952) }), 16),
    }),
    4,
  ),
  soakSeconds: integer(0, 365 * 86_400),
  log: optional(logTrustFields),
});

/** @returns the trust, or `protocol/config-invalid` naming the path; one custodian alone is never enough (SR-09) */
export const parseReleaseTrust = (json: string): Result<ReleaseTrust> => {
  const decoded = decodeJson(json, decoder);
  if (!decoded.ok) return decoded;
  const { hardware, quorums, soakSeconds, log } = decoded.value;
  const small = quorums.findIndex(({ keys, threshold }) => keys.length < threshold);
  if (small >= 0) return deny('protocol', 'config-invalid', `quorums[${small}].keys: expected as many as the threshold`);
  if (quorums.length === 0) return deny('protocol', 'config-invalid', 'quorums: expected at least one');
  const withSuite = quorums.map(({ threshold, keys, isRepair }) => ({
    ...{ threshold, keys: keys.map((key) => ({ suite, ...key })) },
    ...(isRepair === undefined ? {} : { isRepair }),
  }));
  const trust = { hardware, quorums: withSuite, soakMs: soakSeconds * 1000 };
  if (log === undefined) return ok(trust);
  const followed = logTrustOf(log);
  return followed.ok ? ok({ ...trust, log: followed.value }) : followed;
};

export const writeReleaseTrust = ({ hardware, quorums, soakMs, log }: ReleaseTrust): string =>
  JSON.stringify({
    version: 1,
    hardware,
    quorums: quorums.map(({ threshold, keys, isRepair }) => ({
      threshold,
      ...(isRepair === undefined ? {} : { isRepair }),
      keys: keys.map(({ classical, postQuantum }) => ({ classical: toBase64(classical), postQuantum: toBase64(postQuantum) })),
    })),
    soakSeconds: Math.round(soakMs / 1000),
    ...(log === undefined ? {} : { log: logTrustJson(log) }),
  });

export const policiesOf = (crypto: CryptoBackend, { hardware, quorums }: ReleaseTrust): readonly WrittenPolicy[] =>
  quorums.map(({ keys, threshold, isRepair = false }) => ({ crypto, keys, threshold, hardware, isRepair }));
