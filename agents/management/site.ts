/** The site configuration of a device: whom it trusts, and where they are. Written by provisioning, never by a server. */

import type { StatementKeys } from '#agents/session/statements';
import type { VerifierKeys } from '#attestation/result';
import { fromBase64 } from '#hal/core/bytes';
import { type Decoder, decodeJson, integer, object, text } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import type { Endpoint } from '#hal/linux/https-exchange';

export interface Site {
  readonly verifier: { readonly name: string; readonly endpoint: Endpoint; readonly keys: VerifierKeys };
  readonly statementKeys: StatementKeys;
  readonly page: { readonly port: number };
  /** How often the posture is measured by itself. */
  readonly postureEveryMs: number;
}

const slug = text(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'a slug');
const pem = text(/^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,8192}-----END CERTIFICATE-----\s*$/, 'one certificate in PEM');

const raw =
  (length: number): Decoder<Uint8Array> =>
  (value, path = '') => {
    const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
    return bytes?.length === length
      ? ok(bytes)
      : deny('protocol', 'config-invalid', `${path}: expected base64 of ${length} bytes`);
  };
const hybridKey = object({ classical: raw(32), postQuantum: raw(1952) });

const decodeSite = object({
  version: integer(1, 1),
  verifier: object({
    name: slug,
    url: text(/^https:\/\/[A-Za-z0-9.:[\]-]{1,255}\/[a-z0-9/-]{0,64}$/, 'an https URL'),
    authority: pem,
    keys: hybridKey,
  }),
  identityIssuer: hybridKey,
  accountService: hybridKey,
  page: object({ port: integer(0, 65_535) }),
  /** Below the shortest age that a finding may have: a device that nobody looks at is not at risk for that. */
  postureEverySeconds: integer(1, 30),
});

/** @returns the site, or `protocol/config-invalid` naming the path and what was expected */
export const parseSite = (json: string): Result<Site> => {
  const decoded = decodeJson(json, decodeSite);
  if (!decoded.ok) return decoded;
  const { verifier, identityIssuer, accountService, page, postureEverySeconds } = decoded.value;
  const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
  const keyOf = (key: { readonly classical: Uint8Array; readonly postQuantum: Uint8Array }): HybridPublicKey => ({
    suite,
    ...key,
  });
  return ok({
    verifier: { name: verifier.name, endpoint: { url: verifier.url, authority: verifier.authority }, keys: verifier.keys },
    statementKeys: { identity: [keyOf(identityIssuer)], account: [keyOf(accountService)] },
    page,
    postureEveryMs: postureEverySeconds * 1000,
  });
};
