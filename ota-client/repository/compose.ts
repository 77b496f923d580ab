/** The four kinds of metadata as the publisher writes them (TUF 1.0 §4), and their signatures. */
import { equalBytes, toHex, utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { canonicalJson } from '#ota-client/trust/canonical';
import { custodianRuleName } from '#ota-client/trust/custodians';
import type { JsonObject } from '#ota-client/trust/json';
import { type MetaFile, ruleField, type TopRole } from '#ota-client/trust/metadata';
import { textOfInstant } from '#ota-client/trust/time';
import {
  type Custodian,
  type CustodianSignature,
  isSignedBy,
  keysOf,
  metadataMessages,
  type Quorum,
  type Signer,
} from './custodian.ts';

const specification = '1.0.34';

const header = (type: string, version: number, expiresMs: number) => ({
  _type: type,
  spec_version: specification,
  version,
  expires: textOfInstant(expiresMs),
});

/** Key ids and threshold, as a role has them. */
export const roleKeys = (crypto: CryptoBackend, { custodians, threshold }: Quorum) => ({
  keyids: custodians
    .map((custodian) => keysOf(crypto, custodian))
    .flatMap(({ classical, postQuantum }) => [classical.id, postQuantum.id]),
  threshold,
});

export const keyRing = (crypto: CryptoBackend, quorums: readonly Quorum[]): JsonObject =>
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

/** @returns the file with the signatures of those `signers` who may sign it; or a fault of `assembleMetadata`, or a signer's */
export const signMetadata = async (
  crypto: CryptoBackend,
  signed: JsonObject,
  signers: readonly Signer[],
  quorum: Quorum,
): Promise<Result<Uint8Array>> => {
  const messages = metadataMessages(crypto, canonicalJson(signed));
  const signatures: CustodianSignature[] = [];
  for (const signer of signers) {
    if (!quorum.custodians.some((custodian) => isSame(custodian, signer))) continue;
    const signature = await signer.sign(messages);
    if (!signature.ok) return signature;
    signatures.push({ name: signer.name, ...signature.value });
  }
  return assembleMetadata(crypto, signed, signatures, quorum);
};

/**
 * Metadata with signatures that were made elsewhere, each verified, in the order of the quorum: who came first shows
 * nowhere.
 * @returns the file; or `integrity/signature-invalid`, or `integrity/custodians-missing` with fewer than `threshold` custodians
 */
export const assembleMetadata = (
  crypto: CryptoBackend,
  signed: JsonObject,
  given: readonly CustodianSignature[],
  { custodians, threshold }: Quorum,
): Result<Uint8Array> => {
  const messages = metadataMessages(crypto, canonicalJson(signed));
  const signatures: JsonObject[] = [];
  let signers = 0;
  for (const custodian of custodians) {
    const signature = given.find(({ name }) => name === custodian.name);
    if (signature === undefined) continue;
    if (!isSignedBy(crypto, custodian, messages, signature)) return deny('integrity', 'signature-invalid', custodian.name);
    const { classical, postQuantum } = keysOf(crypto, custodian);
    signatures.push({ keyid: classical.id, sig: toHex(signature.classical) });
    signatures.push({ keyid: postQuantum.id, sig: toHex(signature.postQuantum) });
    signers += 1;
  }
  if (signers < threshold) return deny('integrity', 'custodians-missing', `${signers} of ${threshold}`);
  return ok(utf8(JSON.stringify({ signatures, signed })));
};

const isSame = (a: Custodian, b: Custodian): boolean =>
  a.name === b.name && equalBytes(a.ed25519, b.ed25519) && equalBytes(a.mlDsa65, b.mlDsa65);
