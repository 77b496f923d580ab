/** Where this client refuses what tuf-js 6.0.2 accepts, one by one, each on purpose. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { concat, utf8 } from '#hal/core/bytes';
import {
  chain,
  type Difference,
  delegation,
  editing,
  nested,
  publishWith,
  respelled,
  setting,
  timestampKeys,
} from './difference.fixture.ts';
import { ed25519Key, type TestKey } from './forge.fixture.ts';
import type { JsonObject } from './json.ts';
import { maxDelegationDepth, maxRootsPerRefresh, maxSignatures, maxVisitedRoles, metadataBytes } from './limits.ts';

const targetWith = (fields: JsonObject) =>
  setting('targets', { targets: { x: { length: 1, hashes: { sha256: '00' }, ...fields } } });
const delegatedWith = (fields: JsonObject) => setting('targets', { delegations: delegation(fields) });
const invalid = (path: string): RegExp => new RegExp(`^protocol/field-invalid \\w+${path}: expected `);
const targetsKey = ed25519Key('targets');
const anyTargetsKey = (sign: TestKey['sign']): readonly TestKey[] => [{ ...targetsKey, sign }];

/** Of keys that nobody has seen, so that no version came before. */
const firstTimestamp: Difference['make'] = (forge) => {
  forge.top.timestamp = { keys: [ed25519Key(`timestamp of ${forge.versions.get('root')}`)], threshold: 1 };
  forge.publishRoot();
  setting('timestamp', { version: 0 })(forge);
};

/** Causes that our client names by itself. */
const told: readonly Omit<Difference, 'isTelling'>[] = [
  {
    name: 'a name that stands twice in one object',
    why: /^protocol\/malformed a name that may not stand here/,
    make: respelled('"_type":"targets"', '"_type":"root","_type":"targets"'),
  },
  {
    name: 'the name `__proto__`',
    why: /^protocol\/malformed a name that may not stand here/,
    make: editing('targets', (part) => void Object.defineProperty(part, '__proto__', { value: 1, enumerable: true })),
  },
  {
    name: 'a number with a fraction or an exponent',
    why: /^protocol\/malformed a number that is not a whole number/,
    make: respelled(/"version":(\d+)/, '"version":$1.0e0'),
  },
  {
    name: 'a whole number beyond 2^53',
    why: /^protocol\/malformed a value expected/,
    make: (forge) => {
      const [held, beyond] = ['4503599627370496', '9007199254740994'] as const;
      const swap = (bytes: Uint8Array) => utf8(new TextDecoder().decode(bytes).replace(held, beyond));
      const edit = (part: object) => void Object.assign(part, { x: Number(held) });
      publishWith(forge, 'targets', { edit, by: anyTargetsKey((bytes) => targetsKey.sign(swap(bytes))), after: swap });
    },
  },
  {
    name: 'half of a surrogate pair',
    why: /^protocol\/malformed half of a surrogate pair/,
    make: setting('targets', { x: '\ud800' }),
  },
  {
    name: 'bytes that are not UTF-8 beside what is signed',
    why: /^protocol\/malformed not UTF-8/,
    make: (forge) => {
      const odd = (bytes: Uint8Array) => concat(bytes.subarray(0, -1), utf8(',"x":"'), Uint8Array.of(0xff), utf8('"}'));
      publishWith(forge, 'targets', { after: odd });
    },
  },
  {
    name: 'values nested deeper than 32',
    why: /^resource\/count-limit nested deeper/,
    make: setting('targets', { x: nested(40) }),
  },
  {
    name: 'a signature that is not lower-case hexadecimal',
    why: /^protocol\/field-invalid metadata\.signatures\[\d+\]\.sig: expected /,
    make: (forge) => {
      forge.hashed = false;
      const longer = (bytes: Uint8Array) => utf8(new TextDecoder().decode(bytes).replace(/("sig":"[0-9a-f]+)/, '$1 or so'));
      publishWith(forge, 'timestamp', { after: longer });
    },
  },
  { name: 'a time in another format', why: invalid('\\.expires'), make: setting('targets', { expires: '2099-01-01' }) },
  { name: 'a day that no month has', why: invalid('\\.expires'), make: setting('targets', { expires: '2099-02-30T00:00:00Z' }) },
  {
    name: 'a version of the specification in other than decimal digits',
    why: invalid('\\.spec_version'),
    make: setting('targets', { spec_version: '1.' }),
  },
  { name: 'a version below 1', why: invalid('\\.version'), make: firstTimestamp },
  { name: 'a target without a hash', why: invalid('\\.targets\\[.*\\]\\.hashes'), make: targetWith({ hashes: {} }) },
  {
    name: 'a target whose hashes nobody here knows',
    why: invalid('\\.targets\\[.*\\]\\.hashes'),
    make: targetWith({ hashes: { 'sha3-256': '00' } }),
  },
  {
    name: 'metadata that is named with hashes, but with none that is known',
    why: invalid('\\.meta.*\\.hashes'),
    make: (forge) => {
      publishWith(forge, 'snapshot', {
        edit: (part) =>
          Object.assign(part, { meta: { 'targets.json': { version: forge.versions.get('targets') ?? 0, hashes: {} } } }),
      });
    },
  },
  {
    name: 'a timestamp that names the snapshot that is kept with another hash or length',
    why: /^integrity\/metadata-mismatch snapshot: (?:hash|length)/,
    isSecond: true,
    make: (forge) => {
      const version = forge.versions.get('snapshot') ?? 0;
      forge.publishTimestamp({
        edit: (part) => Object.assign(part, { meta: { 'snapshot.json': { version, hashes: { sha256: '00'.repeat(32) } } } }),
      });
    },
  },
  {
    name: 'a hash in other than lower-case hexadecimal',
    why: invalid('.*\\.hashes\\[.*\\]'),
    make: targetWith({ hashes: { sha256: 'AB' } }),
  },
  { name: 'a target whose custom is no object', why: invalid('.*\\.custom'), make: targetWith({ custom: 1 }) },
  {
    name: 'a pattern with other signs than `*` and `?`',
    why: invalid('.*\\.paths\\[\\d+\\]'),
    make: delegatedWith({ paths: ['[ab]'] }),
  },
  {
    name: 'a prefix of a hash that is none',
    why: invalid('.*\\.path_hash_prefixes\\[\\d+\\]'),
    make: (forge) => {
      const { paths: _, ...role } = (delegation({ path_hash_prefixes: ['XY'] })['roles'] as JsonObject[])[0] ?? {};
      setting('targets', { delegations: { ...delegation({}), roles: [role] } })(forge);
    },
  },
  {
    name: 'an empty name, or one longer than 1,024 characters',
    why: /^protocol\/field-invalid .*: expected text of 1 to 1024 characters/,
    make: delegatedWith({ name: '' }),
  },
  {
    name: 'a threshold above 256',
    why: /^protocol\/field-invalid .*\.threshold: expected /,
    make: delegatedWith({ threshold: 257 }),
  },
  {
    name: 'roles and hash bins at once, or neither',
    why: /^protocol\/field-invalid .*: expected either roles or succinct_roles/,
    make: setting('targets', { delegations: { keys: {} } }),
  },
  {
    name: 'a key whose value is no object',
    why: /^protocol\/field-invalid .*\.keyval: expected an object/,
    make: setting('targets', {
      delegations: { ...delegation({}), keys: { x: { keytype: 'x', scheme: 'x', keyval: [] } } },
    }),
  },
  {
    name: 'hash bins of more than 14 bits',
    why: invalid('.*\\.bit_length'),
    make: setting('targets', {
      delegations: { keys: {}, succinct_roles: { keyids: [], threshold: 1, bit_length: 20, name_prefix: 'bin' } },
    }),
  },
  {
    name: 'more keys, roles, targets, patterns, hashes or signatures than the limits',
    why: /^protocol\/field-invalid .*: expected (?:a list|an object) of at most/,
    make: (forge) =>
      publishWith(forge, 'targets', {
        by: [
          ...forge.top.targets.keys,
          ...Array.from({ length: maxSignatures }, (_, index) => ({ ...targetsKey, id: `${index}` })),
        ],
      }),
  },
  {
    name: 'a snapshot or targets metadata longer than the limits',
    why: /^protocol\/too-large /,
    make: (forge) => {
      forge.hashed = false;
      const padded = (bytes: Uint8Array) => concat(bytes, utf8(' '.repeat(metadataBytes.snapshot)));
      publishWith(forge, 'snapshot', { after: padded });
    },
  },
];

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}
const spki = ({ publicKey }: Pair): string => publicKey.export({ type: 'spki', format: 'pem' }).toString();
const pair = (type: 'ed448' | 'ml-dsa-65' | 'ed25519'): Pair => generateKeyPairSync(type as 'ed448');
const keyOf = (keytype: string, scheme: string, made: Pair, hash: string | null, text = spki(made)): TestKey => ({
  id: `${scheme} of ${made.publicKey.asymmetricKeyType}`,
  json: { keytype, scheme, keyval: { public: text } },
  sign: (canonical) =>
    sign(hash, canonical, { key: made.privateKey, ...(made.publicKey.asymmetricKeyType === 'rsa' ? { padding: 6 } : {}) }),
});
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pointBytes = 65;
const pointOf = ({ publicKey }: Pair): string =>
  publicKey.export({ type: 'spki', format: 'der' }).subarray(-pointBytes).toString('hex');
const timestampKey = ed25519Key('t');
const keyDifference = (name: string, key: TestKey): Difference => ({
  name,
  why: /^integrity\/custodians-missing .*, \d+ not understood/,
  isTelling: true,
  make: timestampKeys([key], 1),
});

/** Keys and signatures that tuf-js counts. */
const keys: readonly Difference[] = [
  keyDifference('an ML-DSA key declared as `ed25519`', keyOf('ed25519', 'ed25519', pair('ml-dsa-65'), null)),
  keyDifference('an Ed448 key declared as `ed25519`', keyOf('ed25519', 'ed25519', pair('ed448'), null)),
  keyDifference('an Ed25519 key in PEM', keyOf('ed25519', 'ed25519', pair('ed25519'), null)),
  keyDifference('a P-256 key as a bare point', keyOf('ecdsa', 'ecdsa-sha2-nistp256', p256, 'sha256', pointOf(p256))),
  keyDifference('ECDSA with P-384', keyOf('ecdsa', 'ecdsa-sha2-nistp384', p384, 'sha384')),
  keyDifference('RSA with SHA-384 or SHA-512', keyOf('rsa', 'rsassa-pss-sha512', rsa, 'sha512')),
  keyDifference(
    'an RSA key of less than 2,048 bits',
    keyOf('rsa', 'rsassa-pss-sha256', generateKeyPairSync('rsa', { modulusLength: 1024 }), 'sha256'),
  ),
  keyDifference('a key with a scheme that is not that of its type', {
    ...timestampKey,
    json: { ...timestampKey.json, scheme: 'other' },
  }),
  {
    name: 'one key under two ids, counted twice',
    why: /^integrity\/custodians-missing timestamp: 1 of 2/,
    make: timestampKeys([timestampKey, { ...timestampKey, id: 'alias' }], 2),
  },
];

const limits: readonly Difference[] = [
  {
    name: `more than ${maxRootsPerRefresh} new roots in one refresh`,
    why: /^resource\/count-limit more than \d+ new roots/,
    make: (forge) => {
      for (let count = 0; count <= maxRootsPerRefresh; count++) forge.publishRoot();
    },
  },
  {
    name: `delegations deeper than ${maxDelegationDepth}`,
    why: /^resource\/count-limit x/,
    target: 'x',
    make: chain(maxDelegationDepth),
  },
  {
    name: `more than ${maxVisitedRoles} roles visited for one target`,
    why: /^resource\/count-limit x/,
    target: 'x',
    make: (forge) => {
      for (let index = 0; index < maxVisitedRoles; index++) {
        const wide = { parent: 'targets', keys: [ed25519Key('d')], threshold: 1, terminating: false, paths: ['*'] };
        forge.delegated.set(`wide ${index}`, wide);
        forge.roleTargets(`wide ${index}`);
      }
      forge.addTarget(`wide ${maxVisitedRoles - 1}`, 'x', 'content');
      forge.publish();
    },
  },
  {
    name: 'a path of a target with an empty, `.` or `..` part, a backslash or a control character',
    why: /^protocol\/field-invalid path of a target/,
    target: '../x',
    make: (forge) => {
      forge.addTarget('targets', '../x', 'content');
      forge.publish();
    },
  },
  {
    name: 'a target that nobody named, called as a property of every object',
    why: /^policy\/target-missing /,
    target: 'constructor',
    make: (forge) => forge.publish(),
  },
];

export const stricter: readonly Difference[] = [
  ...told.map((difference) => ({ ...difference, isTelling: true }) as const),
  ...keys,
  ...limits,
];
