/** The custodian's own machine: what a request asks is read, shown, and signed with the one key that lies here. */

import { readManifest } from '#agents/update/manifest';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Image } from '#ota-client/payload/image';
import type { Signer } from '#ota-client/repository/custodian';
import { listOf, messagesOf, officeRoleOf, type SigningItem } from '#ota-client/repository/signing-item';
import { decodeRequest, encodeSignatures, requestDigest, type SignatureFile } from '#ota-client/repository/signing-request';
import { type VerityRootOf, whatIsSigned } from '#ota-client/repository/what-is-signed';
import { openStatement, statementHeader } from '#ota-client/slots/statement';
import { releaseOf } from '#ota-client/trust/release';
import { treeOf } from './build.ts';
import type { CustodianKey } from './keys.ts';

export interface Shown {
  readonly release: string;
  /** For two people to compare: SHA-256 of the request. */
  readonly digest: string;
  readonly logHead: string;
  readonly lines: readonly string[];
}

export interface SigningChoices {
  /** Of the release, to be compared with its statement. */
  readonly image?: Image | undefined;
  /** The custodian expects lists of releases that were signed before: a reissue, or a withdrawal. */
  readonly isNothingNew?: boolean;
}

export interface Signed extends Shown {
  /** The file for the office. */
  readonly signatures: Uint8Array;
}

/**
 * @param image of the release, to be compared with its statement
 * @returns what the request asks, for whomever; or the faults of `whatIsSigned` and of reading
 */
export const showRequest = async (crypto: CryptoBackend, bytes: Uint8Array, image?: Image): Promise<Result<Shown>> => {
  const request = decodeRequest(bytes);
  if (!request.ok) return request;
  const { release, logHead, items } = request.value;
  const lines = await linesOf(crypto, items, image);
  return lines.ok ? ok({ release, logHead, digest: requestDigest(crypto, bytes), lines: lines.value }) : lines;
};

/**
 * Signs what is of the key's own role, and nothing else that may stand in the request.
 * @returns what was shown, and the file for the office; or `integrity/role-mismatch` where nothing is of its role,
 * `integrity/signature-missing` for a list whose manifest lacks this custodian's own statement or is not there, and the faults
 * of `showRequest`
 */
export const signRequest = async (
  crypto: CryptoBackend,
  bytes: Uint8Array,
  { role, signer }: CustodianKey,
  { image, isNothingNew = false }: SigningChoices = {},
): Promise<Result<Signed>> => {
  const request = decodeRequest(bytes);
  if (!request.ok) return request;
  const { release, logHead, items } = request.value;
  const own = items.filter((item) => officeRoleOf(item) === role);
  if (own.length === 0) return deny('integrity', 'role-mismatch', `nothing in it is for ${signer.name}, who signs for ${role}`);
  const lines = await linesOf(crypto, own, image);
  if (!lines.ok) return lines;
  const signatures: SignatureFile['signatures'][number][] = [];
  for (const item of own) {
    const stated = checkOwnStatement(crypto, item, signer, isNothingNew);
    if (!stated.ok) return stated;
    const signature = await signer.sign(messagesOf(crypto, item));
    if (!signature.ok) return signature;
    signatures.push({ item: items.indexOf(item), name: signer.name, ...signature.value });
  }
  const digest = requestDigest(crypto, bytes);
  return ok({ release, logHead, digest, lines: lines.value, signatures: encodeSignatures(digest, signer.name, signatures) });
};

const linesOf = async (
  crypto: CryptoBackend,
  items: readonly SigningItem[],
  image: Image | undefined,
): Promise<Result<readonly string[]>> => {
  if (image !== undefined && image.sizeBytes === 0) return deny('integrity', 'image-mismatch', 'an empty image');
  const rootOf = image === undefined ? undefined : rootOfImage(image);
  const lines: string[] = [];
  for (const item of items) {
    const said = await whatIsSigned(crypto, item, rootOf);
    if (!said.ok) return said;
    lines.push(...said.value);
  }
  return ok(lines);
};

const rootOfImage =
  (image: Image): VerityRootOf =>
  async (parameters) => {
    const tree = await treeOf(image, parameters);
    return tree.ok ? ok(tree.value.verityRoot) : tree;
  };

const isImageClass = (role: string): boolean => role === 'os' || role === 'repair';
/** Of a grant, as of a manifest, the file says more than the list. */
const isReadClass = (role: string): boolean => isImageClass(role) || role === 'grants';

/**
 * The manifest of an image holds the statement that this custodian signed before: the office can put no other under the list
 * with it. Which targets are new nobody can tell here, where nothing is kept: so a list without any manifest is signed only by
 * who expects that, and one with some says line by line which files are here.
 */
const checkOwnStatement = (
  crypto: CryptoBackend,
  item: SigningItem,
  { ed25519, mlDsa65 }: Signer,
  isNothingNew: boolean,
): Result<void> => {
  if (item.kind !== 'metadata' || !isReadClass(item.role)) return done;
  const list = listOf(item);
  if (!list.ok) return list;
  if (list.value.targets.size > 0 && item.files.length === 0 && !isNothingNew)
    return deny('integrity', 'signature-missing', `the list of ${item.role} names releases, and the file of none is here`);
  if (!isImageClass(item.role)) return done;
  const keys = [{ suite: statementHeader.suite, classical: ed25519, postQuantum: mlDsa65 }];
  for (const { path, bytes } of item.files) {
    const target = list.value.targets.get(path);
    const release = target === undefined ? deny('policy', 'target-missing', path) : releaseOf(target);
    if (!release.ok) return release;
    const manifest = readManifest(bytes);
    if (!manifest.ok) return manifest;
    const [hardware = ''] = release.value.hw ?? [];
    const statement = openStatement({ crypto, keys, threshold: 1, hardware }, manifest.value.statement);
    if (!statement.ok) return statement;
    const { counter, floorEpoch } = statement.value.release;
    if (counter !== release.value.releaseCounter || floorEpoch !== release.value.floorEpoch)
      return deny('integrity', 'target-mismatch', path);
  }
  return done;
};
