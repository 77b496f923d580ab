/**
 * To whom a targets role hands paths on (TUF 1.0 §4.5, DELEGATIONS): either roles by name, in the order of trust, or the
 * hash bins of TAP 15, which share their keys.
 */
import { boolean, type Decoded, type Decoder, integer, list, optional, text } from '#hal/core/config';
import { deny, ok } from '#hal/core/result';
import { fields } from './fields.ts';
import { type KeyRing, type KeyScheme, keyRing } from './keys.ts';
import { maxBinBits, maxDelegatedRoles, maxPatterns } from './limits.ts';
import { anyText, roleKeysShape } from './role-keys.ts';

/** TUF 1.0 §4.5, PATHPATTERN: `*` and `?`. Other signs that shells know mean something else to each client: refused. */
const pattern = text(/^[^[\]{}()!\\|#]{1,512}$/, 'a pattern with * and ? only');
const hashPrefix = text(/^[0-9a-f]{1,64}$/, 'a prefix of a SHA-256 in hexadecimal');

const delegatedRoleFields = fields({
  name: anyText,
  ...roleKeysShape,
  terminating: boolean,
  paths: optional(list(pattern, maxPatterns)),
  path_hash_prefixes: optional(list(hashPrefix, maxPatterns)),
});
export type DelegatedRole = Decoded<typeof delegatedRoleFields>;

const hashBins = fields({
  ...roleKeysShape,
  bit_length: integer(1, maxBinBits),
  name_prefix: text(/^.{1,512}$/su, 'text of 1 to 512 characters'),
});
export type HashBins = Decoded<typeof hashBins>;

export interface Delegations {
  readonly keys: KeyRing;
  /** None where there are bins. */
  readonly roles: readonly DelegatedRole[];
  readonly bins: HashBins | undefined;
}

const topRoles: readonly string[] = ['root', 'timestamp', 'snapshot', 'targets'];

const delegatedRole: Decoder<DelegatedRole> = (value, path = '') => {
  const decoded = delegatedRoleFields(value, path);
  if (!decoded.ok) return decoded;
  const { name, paths, path_hash_prefixes: prefixes } = decoded.value;
  if (topRoles.includes(name)) return deny('protocol', 'field-invalid', `${path}: a delegated role named ${name}`);
  return paths !== undefined && prefixes !== undefined
    ? deny('protocol', 'field-invalid', `${path}: paths and path_hash_prefixes`)
    : decoded;
};

const delegatedRoles: Decoder<readonly DelegatedRole[]> = (value, path = '') => {
  const decoded = list(delegatedRole, maxDelegatedRoles)(value, path);
  if (!decoded.ok) return decoded;
  return new Set(decoded.value.map(({ name }) => name)).size === decoded.value.length
    ? decoded
    : deny('protocol', 'field-invalid', `${path}: expected each role once`);
};

const delegationsFields = (schemes: readonly KeyScheme[]) =>
  fields({ keys: keyRing(schemes), roles: optional(delegatedRoles), succinct_roles: optional(hashBins) });

/** @returns the delegations, or `protocol/config-invalid`, `protocol/field-invalid` naming the path */
export const delegations =
  (schemes: readonly KeyScheme[]): Decoder<Delegations> =>
  (value, path = '') => {
    const decoded = delegationsFields(schemes)(value, path);
    if (!decoded.ok) return decoded;
    const { keys, roles, succinct_roles: bins } = decoded.value;
    return (roles === undefined) === (bins === undefined)
      ? deny('protocol', 'field-invalid', `${path}: expected either roles or succinct_roles`)
      : ok({ keys, roles: roles ?? [], bins });
  };
