/** The site configuration of a device: whom it trusts, and where they are. Written by provisioning, never by a server. */

import type { StatementKeys } from '#agents/session/statements';
import type { VerifierKeys } from '#attestation/result';
import {
  base64,
  type Decoded,
  type Decoder,
  decodeJson,
  integer,
  list,
  object,
  oneOf,
  optional,
  someBase64,
  text,
} from '#hal/core/config';
import { ok, type Result } from '#hal/core/result';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import type { Endpoint } from '#hal/linux/https-exchange';
import { type LogTrust, logTrustFields, logTrustOf } from '#ota-client/transparency/log-trust';
import { type GrantPolicy, grantPolicies } from '#ota-client/trust/grant-policy';
import { hardwareId } from '#ota-client/trust/release';
import { type BeaconSite, beaconSite } from './beacon-site.ts';
import { certificatePem as pem, httpsUrl as url } from './endpoint.ts';

export interface Site {
  readonly verifier: { readonly name: string; readonly endpoint: Endpoint; readonly keys: readonly VerifierKeys[] };
  readonly statementKeys: Pick<StatementKeys, 'identity' | 'account'>;
  /** Of the intelligence service; without any, no outcome counts. */
  readonly outcomeKeys: readonly HybridPublicKey[];
  /** Absent where the device belongs to no fleet. */
  readonly fleet?: Fleet;
  /** Absent where no Key belongs to the device. */
  readonly beacon?: BeaconSite;
  readonly page: { readonly port: number };
  /** How often the posture is measured by itself. */
  readonly postureEveryMs: number;
}

export interface Fleet {
  readonly command: { readonly endpoint: Endpoint; readonly keys: readonly HybridPublicKey[]; readonly sealingKey: Uint8Array };
  readonly broker: { readonly host: string; readonly port: number; readonly authority: string };
  /** The root in the image (SR-09), and the hardware class that releases name. */
  readonly repository: { readonly endpoint: Endpoint; readonly root: Uint8Array; readonly hardware: string };
  /** Who may order of the life of this device, two of them together; nobody where the list is empty. */
  readonly administrators: readonly HybridPublicKey[];
  /** Absent where this device takes no releases. */
  readonly update?: UpdateSite;
}

export interface UpdateSite {
  readonly director: { readonly endpoint: Endpoint; readonly root: Uint8Array };
  /** Custodians of releases, of whom two must have signed. */
  readonly releaseKeys: readonly HybridPublicKey[];
  /** Those of repairs: others, and two of them. */
  readonly repairKeys: readonly HybridPublicKey[];
  /** Absent where this device follows no log of releases. */
  readonly log?: LogTrust;
  /** Whether a carried release may come, or must come, with a grant in the director's place. */
  readonly grants: GrantPolicy;
  /** How long the health gate of a trial waits for every check. */
  readonly trialMs: number;
}

const slug = text(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'a slug');

const hybridKey = object({ classical: base64(32), postQuantum: base64(1952) });
type RawKey = Decoded<typeof hybridKey>;
const severalKeys = list(hybridKey, 4);
/** One key, or a list of at least one: a service that changes its key has two for a while. */
const hybridKeys: Decoder<readonly RawKey[]> = (value, path = '') => {
  if (Array.isArray(value) && value.length > 0) return severalKeys(value, path);
  const one = hybridKey(value, path);
  return one.ok ? ok([one.value]) : one;
};

const decodeSite = object({
  version: integer(1, 1),
  verifier: object({
    name: slug,
    url,
    authority: pem,
    keys: hybridKeys,
  }),
  identityIssuer: hybridKeys,
  accountService: hybridKeys,
  intelligenceService: optional(hybridKeys),
  fleet: optional(
    object({
      command: object({ url, authority: pem, keys: hybridKeys, sealingKey: base64(1216) }),
      broker: object({ host: text(/^[A-Za-z0-9.:-]{1,255}$/, 'a host'), port: integer(1, 65_535), authority: pem }),
      repository: object({ url, authority: pem, root: someBase64(64 * 1024), hardware: hardwareId }),
      administrators: optional(list(hybridKey, 16)),
      update: optional(
        object({
          director: object({ url, authority: pem, root: someBase64(64 * 1024) }),
          releaseKeys: list(hybridKey, 16),
          repairKeys: list(hybridKey, 16),
          log: optional(logTrustFields),
          grants: optional(oneOf(...grantPolicies)),
          trialSeconds: integer(1, 3600),
        }),
      ),
    }),
  ),
  beacon: optional(beaconSite),
  page: object({ port: integer(0, 65_535) }),
  /** Below the shortest age that a finding may have: a device that nobody looks at is not at risk for that. */
  postureEverySeconds: integer(1, 30),
});

/** @returns the site, or `protocol/config-invalid` naming the path and what was expected */
export const parseSite = (json: string): Result<Site> => {
  const decoded = decodeJson(json, decodeSite);
  if (!decoded.ok) return decoded;
  const { verifier, identityIssuer, accountService, intelligenceService, fleet, beacon, page, postureEverySeconds } =
    decoded.value;
  const followed = fleet?.update?.log === undefined ? ok(undefined) : logTrustOf(fleet.update.log);
  if (!followed.ok) return followed;
  return ok({
    verifier: { name: verifier.name, endpoint: { url: verifier.url, authority: verifier.authority }, keys: verifier.keys },
    statementKeys: { identity: identityIssuer.map(keyOf), account: accountService.map(keyOf) },
    outcomeKeys: intelligenceService?.map(keyOf) ?? [],
    ...(fleet === undefined ? {} : { fleet: fleetOf(fleet, followed.value) }),
    ...(beacon === undefined ? {} : { beacon }),
    page,
    postureEveryMs: postureEverySeconds * 1000,
  });
};

const keyOf = (key: RawKey): HybridPublicKey => ({
  suite: hybridSignatureSuites['enigm-ed25519-mldsa65'],
  ...key,
});

const fleetOf = (
  { command, broker, repository, administrators = [], update }: NonNullable<Decoded<typeof decodeSite>['fleet']>,
  log: LogTrust | undefined,
): Fleet => ({
  command: {
    endpoint: { url: command.url, authority: command.authority },
    keys: command.keys.map(keyOf),
    sealingKey: command.sealingKey,
  },
  broker,
  repository: {
    endpoint: { url: repository.url, authority: repository.authority },
    root: repository.root,
    hardware: repository.hardware,
  },
  administrators: administrators.map(keyOf),
  ...(update === undefined
    ? {}
    : {
        update: {
          director: { endpoint: { url: update.director.url, authority: update.director.authority }, root: update.director.root },
          releaseKeys: update.releaseKeys.map(keyOf),
          repairKeys: update.repairKeys.map(keyOf),
          ...(log === undefined ? {} : { log }),
          grants: update.grants ?? 'off',
          trialMs: update.trialSeconds * 1000,
        },
      }),
});
