/**
 * Whose releases the hands write, and for which hardware: a file that they are started with. No server and no mind can
 * change it (SR-01).
 */
import { toBase64 } from '#hal/core/bytes';
import { base64, decodeJson, integer, list, object } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import type { ReleasePolicy } from '#ota-client/slots/statement';
import { hardwareId } from '#ota-client/trust/release';

export interface ReleaseTrust {
  readonly hardware: string;
  /** One of these must have signed: the custodians of releases, those of repairs. Their signatures do not add up (SR-03). */
  readonly quorums: readonly ReleaseQuorum[];
  /** How long a committed release runs before the floor may rise. */
  readonly soakMs: number;
}

export interface ReleaseQuorum {
  readonly keys: readonly HybridPublicKey[];
  readonly threshold: number;
}

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const decoder = object({
  version: integer(1, 1),
  hardware: hardwareId,
  quorums: list(
    object({ threshold: integer(2, 16), keys: list(object({ classical: base64(32), postQuantum: base64(1952) }), 16) }),
    4,
  ),
  soakSeconds: integer(0, 365 * 86_400),
});

/** @returns the trust, or `protocol/config-invalid` naming the path; one custodian alone is never enough (SR-09) */
export const parseReleaseTrust = (json: string): Result<ReleaseTrust> => {
  const decoded = decodeJson(json, decoder);
  if (!decoded.ok) return decoded;
  const { hardware, quorums, soakSeconds } = decoded.value;
  const small = quorums.findIndex(({ keys, threshold }) => keys.length < threshold);
  if (small >= 0) return deny('protocol', 'config-invalid', `quorums[${small}].keys: expected as many as the threshold`);
  if (quorums.length === 0) return deny('protocol', 'config-invalid', 'quorums: expected at least one');
  const withSuite = quorums.map(({ keys, threshold }) => ({ threshold, keys: keys.map((key) => ({ suite, ...key })) }));
  return ok({ hardware, quorums: withSuite, soakMs: soakSeconds * 1000 });
};

export const writeReleaseTrust = ({ hardware, quorums, soakMs }: ReleaseTrust): string =>
  JSON.stringify({
    version: 1,
    hardware,
    quorums: quorums.map(({ threshold, keys }) => ({
      threshold,
      keys: keys.map(({ classical, postQuantum }) => ({ classical: toBase64(classical), postQuantum: toBase64(postQuantum) })),
    })),
    soakSeconds: Math.round(soakMs / 1000),
  });

export const policiesOf = (crypto: CryptoBackend, { hardware, quorums }: ReleaseTrust): readonly ReleasePolicy[] =>
  quorums.map(({ keys, threshold }) => ({ crypto, keys, threshold, hardware }));
