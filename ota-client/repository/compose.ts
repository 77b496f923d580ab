/** The four kinds of metadata as the publisher writes them (TUF 1.0 §4), and their signatures. */
import { equalBytes, toHex, utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { canonicalJson } from '#ota-client/trust/canonical';
import { custodianRuleName } from '#ota-client/trust/custodians';
import type { JsonObject } from '#ota-client/trust/json';
import { type MetaFile, ruleField, type TopRole } from '#ota-client/trust/metadata';
import { textOfInstant } from '#ota-client/trust/time';
import { type Custodian, keysOf, type Quorum, type Signer } from './custodian.ts';

const specification = '1.0.34';

const header = (type: string, version: number, expiresMs: number) => ({
  _type: type,
  spec_version: specification,
  version,
  expires: textOfInstant(expiresMs),
});

const roleKeys = (crypto: CryptoBackend, { custodians, threshold }: Quorum) => ({
  keyids: custodians
    .map((custodian) => keysOf(crypto, custodian))
    .flatMap(({ classical, postQuantum }) => [classical.id, postQuantum.id]),
  threshold,
});

const keyRing = (crypto: CryptoBackend, quorums: readonly Quorum[]): JsonObject =>
  Object.fromEntries(
    quorums
      .flatMap(({ custodians }) => custodians)
      .map((custodian) => keysOf(crypto, custodian))
      .flatMap(({ classical, postQuantum }) => [classical, postQuantum])
      .map(({ id, key }) => [id, key]),
  );

export const rootJson = (
  crypto: CryptoBackend,
  version: number,
  expiresMs: number,
  quorums: Readonly<Record<TopRole, Quorum>>,
): JsonObject => ({
  ...header('root', version, expiresMs),
  consistent_snapshot: true,
  keys: keyRing(crypto, Object.values(quorums)),
  roles: {
    root: roleKeys(crypto, quorums.root),
    timestamp: roleKeys(crypto, quorums.timestamp),
    snapshot: roleKeys(crypto, quorums.snapshot),
    targets: roleKeys(crypto, quorums.targets),
  },
  [ruleField]: custodianRuleName,
});

/** One target: a file, and what is signed about it. */
export interface TargetEntry {
  readonly path: string;
  readonly length: number;
  readonly sha256: string;
  readonly custom: JsonObject;
}

export const targetEntry = (crypto: CryptoBackend, path: string, bytes: Uint8Array, custom: JsonObject): TargetEntry => ({
  path,
  length: bytes.length,
  sha256: toHex(crypto.hash('sha256', bytes)),
  custom,
});

/** A delegation of `name/*` to a quorum of its own; terminating, so that nobody further down speaks for that class. */
export interface Delegation {
  readonly name: string;
  readonly quorum: Quorum;
}

export const targetsJson = (
  crypto: CryptoBackend,
  version: number,
  expiresMs: number,
  entries: readonly TargetEntry[],
  delegations: readonly Delegation[] = [],
): JsonObject => ({
  ...header('targets', version, expiresMs),
  targets: Object.fromEntries(entries.map(({ path, length, sha256, custom }) => [path, { length, hashes: { sha256 }, custom }])),
  ...(delegations.length === 0
    ? {}
    : {
        delegations: {
          keys: keyRing(
            crypto,
            delegations.map(({ quorum }) => quorum),
          ),
          roles: delegations.map(({ name, quorum }) => ({
            name,
            ...roleKeys(crypto, quorum),
            terminating: true,
            paths: [`${name}/*`],
          })),
        },
      }),
});

/** What snapshot and timestamp say of a file. */
export const metaFileOf = (crypto: CryptoBackend, version: number, bytes: Uint8Array): MetaFile => ({
  version,
  length: bytes.length,
  hashes: new Map([['sha256', toHex(crypto.hash('sha256', bytes))]]),
});

const metaFileJson = ({ version, length, hashes }: MetaFile): JsonObject => ({
  version,
  ...(length === undefined ? {} : { length }),
  ...(hashes === undefined ? {} : { hashes: Object.fromEntries(hashes) }),
});

/** @param files by their names in the metadata: `targets.json`, `os.json` */
export const snapshotJson = (version: number, expiresMs: number, files: ReadonlyMap<string, MetaFile>): JsonObject => ({
  ...header('snapshot', version, expiresMs),
  meta: Object.fromEntries([...files].map(([name, file]) => [name, metaFileJson(file)])),
});

export const timestampJson = (version: number, expiresMs: number, snapshot: MetaFile): JsonObject => ({
  ...header('timestamp', version, expiresMs),
  meta: { 'snapshot.json': metaFileJson(snapshot) },
});

/** @returns the file with the signatures of all `signers`; or `integrity/custodians-missing` with fewer than `threshold`, or a signer's fault */
export const signMetadata = async (
  crypto: CryptoBackend,
  signed: JsonObject,
  signers: readonly Signer[],
  { custodians, threshold }: Quorum,
): Promise<Result<Uint8Array>> => {
  const entitled = signers.filter((signer) => custodians.some((custodian) => isSame(custodian, signer)));
  if (entitled.length < threshold) return deny('integrity', 'custodians-missing', `${entitled.length} of ${threshold}`);
  const canonical = canonicalJson(signed);
  const signatures: JsonObject[] = [];
  for (const signer of entitled) {
    const signature = await signer.sign(canonical);
    if (!signature.ok) return signature;
    const { classical, postQuantum } = keysOf(crypto, signer);
    signatures.push({ keyid: classical.id, sig: toHex(signature.value.classical) });
    signatures.push({ keyid: postQuantum.id, sig: toHex(signature.value.postQuantum) });
  }
  return ok(utf8(JSON.stringify({ signatures, signed })));
};

const isSame = (a: Custodian, b: Custodian): boolean =>
  a.name === b.name && equalBytes(a.ed25519, b.ed25519) && equalBytes(a.mlDsa65, b.mlDsa65);
