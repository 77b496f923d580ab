/**
 * The hybrid custodian rule (SR-09), for every role alike.
 *
 * A custodian is a person or machine with two ordinary TUF keys, one classical and one post-quantum; the name of the
 * custodian is signed inside both. A role with threshold t is signed when t distinct custodians each have both
 * signatures. On the wire the threshold is t as well, so any TUF 1.0 client still verifies the same files.
 *
 * The rule cannot be dropped: a root that does not name it is refused, whoever signed it.
 */
import { toHex } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Key, KeyClass } from './keys.ts';
import { ruleField, type SignedPart, type TopRole } from './metadata.ts';
import type { Authority, SignatureRule } from './rule.ts';

export const custodianRuleName = 'custodians/1';

type KeyPair = Readonly<Record<KeyClass, NamedKey>>;
interface NamedKey {
  readonly id: string;
  readonly key: Key;
}

export const custodianRule: SignatureRule = {
  /** @returns nothing, or `integrity/hybrid-rule`, `integrity/key-scheme` for a root whose roles could not be signed */
  checkRoot(root) {
    if (root[ruleField] !== custodianRuleName) return deny('integrity', 'hybrid-rule', `root ${root.version} drops the rule`);
    for (const role of Object.keys(root.roles) as TopRole[]) {
      const custodians = custodiansOf({ role, roleKeys: root.roles[role], keys: root.keys });
      if (!custodians.ok) return custodians;
    }
    return done;
  },

  /** @returns nothing, or `integrity/signature-missing`, `signature-invalid`, `custodians-missing`, `hybrid-rule`, `key-scheme` */
  checkSignatures(crypto, authority, signed) {
    const custodians = custodiansOf(authority);
    if (!custodians.ok) return custodians;
    let signers = 0;
    let half: Result<void> | undefined;
    for (const [name, pair] of custodians.value) {
      const states = [signatureState(crypto, pair.classical, signed), signatureState(crypto, pair['post-quantum'], signed)];
      if (states.every((state) => state === 'valid')) signers += 1;
      else half ??= halfSigned(authority.role, name, states);
      if (signers === authority.roleKeys.threshold) return done;
    }
    return half ?? deny('integrity', 'custodians-missing', `${authority.role}: ${signers} of ${authority.roleKeys.threshold}`);
  },
};

/**
 * The custodians of a role, each with exactly one key of each class. A public key belongs to one custodian only: the
 * same key under two names, or under two ids, would let one person count twice.
 */
export const custodiansOf = ({ role, roleKeys, keys }: Authority): Result<ReadonlyMap<string, KeyPair>> => {
  const found = new Map<string, Partial<Record<KeyClass, NamedKey>>>();
  const publicKeys = new Set<string>();
  for (const id of roleKeys.keyids) {
    const key = keys.get(id);
    if (key === 'refused') return deny('integrity', 'key-scheme', `${role}: key ${id}`);
    if (key === undefined || key === 'unknown-scheme') continue;
    if (key.custodian === undefined) return deny('integrity', 'hybrid-rule', `${role}: key ${id} has no custodian`);
    const pair = found.get(key.custodian) ?? {};
    const publicKey = toHex(key.publicKey);
    if (pair[key.scheme.keyClass] !== undefined || publicKeys.has(publicKey))
      return deny('integrity', 'hybrid-rule', `${role}: a second key of ${key.custodian}`);
    publicKeys.add(publicKey);
    found.set(key.custodian, { ...pair, [key.scheme.keyClass]: { id, key } });
  }
  const custodians = new Map<string, KeyPair>();
  for (const [name, { classical, 'post-quantum': postQuantum }] of found) {
    if (classical === undefined || postQuantum === undefined)
      return deny(
        'integrity',
        'hybrid-rule',
        `${role}: ${name} has no ${classical === undefined ? 'classical' : 'post-quantum'} key`,
      );
    custodians.set(name, { classical, 'post-quantum': postQuantum });
  }
  return custodians.size < roleKeys.threshold
    ? deny('integrity', 'hybrid-rule', `${role}: ${custodians.size} custodians cannot reach ${roleKeys.threshold}`)
    : ok(custodians);
};

type SignatureState = 'valid' | 'invalid' | 'absent';

const signatureState = (crypto: CryptoBackend, { id, key }: NamedKey, { signatures, canonical }: SignedPart): SignatureState => {
  const signature = signatures.get(id);
  if (signature === undefined || signature.length === 0) return 'absent';
  return key.scheme.verify(crypto, key.publicKey, canonical, signature) ? 'valid' : 'invalid';
};

const classes: readonly KeyClass[] = ['classical', 'post-quantum'];

/** One that signed with one algorithm only, or with a wrong signature, is named; one that did not sign at all is not. */
const halfSigned = (role: string, name: string, states: readonly SignatureState[]): Result<void> | undefined => {
  const invalid = states.indexOf('invalid');
  if (invalid !== -1) return deny('integrity', 'signature-invalid', `${role}: ${name}, ${classes[invalid]}`);
  if (!states.includes('valid')) return undefined;
  return deny('integrity', 'signature-missing', `${role}: ${name}, ${classes[states.indexOf('absent')]}`);
};
