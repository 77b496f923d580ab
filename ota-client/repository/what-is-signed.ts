/**
 * What a custodian is about to sign, in words: read out of the very bytes, at the custodian's own machine. What
 * contradicts itself, or the files that lie beside it, is refused and not shown.
 */
import { equalBytes, toHex } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { readStatement } from '#ota-client/slots/statement';
import { canonicalJson } from '#ota-client/trust/canonical';
import { custodianRuleName } from '#ota-client/trust/custodians';
import { readGrant, techniciansOf } from '#ota-client/trust/field-grant';
import { isObject } from '#ota-client/trust/fields';
import type { JsonObject } from '#ota-client/trust/json';
import type { KeyRing } from '#ota-client/trust/keys';
import { ruleField, type TargetFile, type Targets } from '#ota-client/trust/metadata';
import { releaseOf } from '#ota-client/trust/release';
import type { RoleKeys } from '#ota-client/trust/role-keys';
import { textOfInstant } from '#ota-client/trust/time';
import { listOf, type MetadataItem, rootOf, type SigningItem, type StatementItem } from './signing-item.ts';

/**
 * @param verityRootOf of the image that the custodian holds, by the salt and UUID of a statement; absent where there is none
 * @returns lines for a person; or `integrity/image-mismatch`, `role-mismatch`, `target-mismatch`, `hybrid-rule`, and the faults
 * of reading
 */
export const whatIsSigned = async (
  crypto: CryptoBackend,
  item: SigningItem,
  verityRootOf?: VerityRootOf,
): Promise<Result<readonly string[]>> =>
  item.kind === 'statement' ? ofStatement(crypto, item, verityRootOf) : ofMetadata(crypto, item);

export type VerityRootOf = (parameters: { readonly salt: Uint8Array; readonly uuid: Uint8Array }) => Promise<Result<Uint8Array>>;

const ofStatement = async (
  crypto: CryptoBackend,
  { role, payload, hardware }: StatementItem,
  verityRootOf: VerityRootOf | undefined,
): Promise<Result<readonly string[]>> => {
  const statement = readStatement(crypto, payload, hardware);
  if (!statement.ok) return statement;
  const { counter, floorEpoch, imageBytes, verityRoot } = statement.value.release;
  const given = await verityRootOf?.(statement.value);
  if (given?.ok === false) return given;
  if (given !== undefined && !equalBytes(given.value, verityRoot))
    return deny('integrity', 'image-mismatch', 'the image that was given is not the one in the statement');
  return ok([
    `statement of ${role} ${counter} for ${hardware}, on floor ${floorEpoch}`,
    `  image of ${imageBytes} bytes, hash tree ${toHex(verityRoot)}`,
    given === undefined ? '  no image was given to compare it with' : '  the image that was given is this one',
  ]);
};

const ofMetadata = (crypto: CryptoBackend, item: MetadataItem): Result<readonly string[]> => {
  if (item.role === 'root') return ofRoot(item);
  const list = listOf(item);
  if (!list.ok) return list;
  const body = item.role === 'targets' ? ofDelegations(list.value) : ofClass(crypto, item, list.value);
  const { version, expires } = list.value;
  return body.ok ? ok([`list of ${item.role}, version ${version}, until ${textOfInstant(expires)}`, ...body.value]) : body;
};

const ofRoot = (item: MetadataItem): Result<readonly string[]> => {
  const root = rootOf(item);
  if (!root.ok) return root;
  const { version, expires, keys, roles } = root.value;
  if (root.value[ruleField] !== custodianRuleName) return deny('integrity', 'hybrid-rule', 'a root without the rule');
  return ok([
    `root, version ${version}, until ${textOfInstant(expires)}`,
    ...Object.entries(roles).map(([name, roleKeys]) => `  ${name}: ${holders(roleKeys, keys)}`),
  ]);
};

const ofDelegations = ({ targets, delegations }: Targets): Result<readonly string[]> => {
  if (targets.size > 0 || delegations === undefined || delegations.bins !== undefined)
    return deny('integrity', 'role-mismatch', 'the top-level targets name classes and no file');
  const { keys, roles } = delegations;
  return ok(roles.map((role) => `  ${role.name}: ${holders(role, keys)}`));
};

const ofClass = (
  crypto: CryptoBackend,
  { role, files }: MetadataItem,
  { targets, delegations }: Targets,
): Result<readonly string[]> => {
  if (delegations !== undefined) return deny('integrity', 'role-mismatch', `${role} delegates`);
  const lines: string[] = [];
  for (const [path, file] of targets) {
    if (!path.startsWith(`${role}/`)) return deny('integrity', 'role-mismatch', path);
    const release = releaseOf(file);
    if (!release.ok) return release;
    const given = files.find((candidate) => candidate.path === path);
    if (given !== undefined && !isFile(crypto, file, given.bytes)) return deny('integrity', 'target-mismatch', path);
    const grant = role === 'grants' && given !== undefined ? ofGrant(given.bytes) : ok([]);
    if (!grant.ok) return grant;
    const said = Buffer.from(canonicalJson(customOf(file))).toString('utf8');
    lines.push(
      `  ${path}: ${said}, ${file.length} bytes, SHA-256 ${file.hashes.get('sha256') ?? 'none'}${given === undefined ? '' : ', the file is here'}`,
      ...grant.value,
    );
  }
  return ok(lines.length === 0 ? ['  names nothing'] : lines);
};

const ofGrant = (bytes: Uint8Array): Result<readonly string[]> => {
  const grant = readGrant(bytes);
  if (!grant.ok) return grant;
  const { expires, releases, uses } = grant.value;
  return ok([
    `    until ${textOfInstant(expires)} ${techniciansOf(grant.value).join(' or ')} may name releases ${releases.first} to ${releases.last}, ${uses} on one device`,
  ]);
};

const customOf = ({ custom }: TargetFile): JsonObject => (isObject(custom) ? custom : {});

const isFile = (crypto: CryptoBackend, { length, hashes }: TargetFile, bytes: Uint8Array): boolean =>
  bytes.length === length && hashes.get('sha256') === toHex(crypto.hash('sha256', bytes));

/** Custodians by name: a key has one (SR-09). */
const holders = ({ keyids, threshold }: RoleKeys, keys: KeyRing): string => {
  const names = keyids.map((id) => {
    const key = keys.get(id);
    return typeof key === 'object' ? (key.custodian ?? 'nobody') : 'nobody';
  });
  return `${threshold} of ${[...new Set(names)].join(', ')}`;
};
