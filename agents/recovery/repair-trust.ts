/**
 * Whose repair releases recovery takes, and for which hardware: a file of its own image, which is signed. Nothing that it
 * finds on a disk or on the network changes it (SR-33).
 */
import { toBase64 } from '#hal/core/bytes';
import { base64, decodeJson, integer, list, object, someBase64 } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import type { ReleasePolicy } from '#ota-client/slots/statement';
import { hardwareId } from '#ota-client/trust/release';

export interface RepairTrust {
  readonly hardware: string;
  /** The first root of the image repository that is looked at (SR-09). */
  readonly root: Uint8Array;
  /** Custodians of repairs, and of nothing else (SR-03). */
  readonly keys: readonly HybridPublicKey[];
  readonly threshold: number;
}

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const maxRootBytes = 64 * 1024;
const decoder = object({
  version: integer(1, 1),
  hardware: hardwareId,
  root: someBase64(maxRootBytes),
  threshold: integer(2, 16),
  keys: list(object({ classical: base64(32), postQuantum: base64(1952) }), 16),
});

/** @returns the trust, or `protocol/config-invalid` naming the path; one custodian alone is never enough (SR-09) */
export const parseRepairTrust = (json: string): Result<RepairTrust> => {
  const decoded = decodeJson(json, decoder);
  if (!decoded.ok) return decoded;
  const { hardware, root, threshold, keys } = decoded.value;
  return keys.length < threshold
    ? deny('protocol', 'config-invalid', 'keys: expected as many as the threshold')
    : ok({ hardware, root, threshold, keys: keys.map((key) => ({ suite, ...key })) });
};

export const writeRepairTrust = ({ hardware, root, threshold, keys }: RepairTrust): string =>
  JSON.stringify({
    version: 1,
    hardware,
    root: toBase64(root),
    threshold,
    keys: keys.map(({ classical, postQuantum }) => ({ classical: toBase64(classical), postQuantum: toBase64(postQuantum) })),
  });

export const repairPolicy = (crypto: CryptoBackend, { hardware, threshold, keys }: RepairTrust): ReleasePolicy => ({
  ...{ crypto, hardware, threshold, keys },
});
