/** Which signatures the executable counts: rotations of keys, thresholds, and the kinds of keys that the specification names. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ed25519Key, type Forge, plainForge, type TestKey } from '../trust/forge.fixture.ts';
import { initializedClientOf } from './client.fixture.ts';

/** One version of a role: numbers of its keys, how many must sign, and which do. */
type Version = readonly [keys: readonly number[], threshold: number, signing: readonly number[]];

const numbered = (numbers: readonly number[]): readonly TestKey[] => numbers.map((number) => ed25519Key(`number ${number}`));
const rootVersions = (versions: readonly Version[]): Forge => {
  const forge = plainForge(Date.now());
  forge.versions.set('root', 0);
  for (const [keys, threshold, signing] of versions) {
    forge.top.root = { keys: numbered(keys), threshold };
    forge.publishRoot({ by: numbered(signing) });
  }
  return forge;
};
const five = [0, 1, 2, 3, 4];
const fiveRotated = [0, 1, 3, 4, 5];
const fiveOthers = [5, 6, 7, 8, 9];

const follows: Readonly<Record<string, readonly Version[]>> = {
  'one key, rotated': [
    [[1], 1, [1]],
    [[2], 1, [2, 1]],
    [[2], 1, [2]],
  ],
  'one key, rotated, among signatures of others': [
    [[1], 1, [3, 1, 4]],
    [[2], 1, [3, 2, 1, 4]],
    [[2], 1, [3, 2, 4]],
  ],
  'three of five, each time others': [
    [five, 3, [0, 2, 4]],
    [five, 3, [0, 4, 1]],
    [five, 3, [0, 1, 3]],
    [five, 3, [0, 1, 3]],
  ],
  'one of five rotated': [
    [five, 3, [0, 2, 4]],
    [fiveRotated, 3, [0, 4, 1]],
  ],
  'one of five rotated, signed by the old and the new': [
    [five, 3, [0, 2, 4]],
    [fiveRotated, 3, [0, 2, 4, 5]],
    [fiveRotated, 3, [0, 4, 5]],
  ],
  'all of five rotated': [
    [five, 3, [0, 2, 4]],
    [fiveOthers, 3, [0, 2, 4, 5, 6, 7]],
    [fiveOthers, 3, [5, 6, 7]],
  ],
  'a threshold that rises': [
    [[1, 2, 3], 1, [1]],
    [[1, 2, 3], 2, [1, 2]],
  ],
  'a threshold that falls': [
    [[1, 2, 3], 2, [1, 2]],
    [[1, 2, 3], 1, [1, 2]],
    [[1, 2, 3], 1, [1]],
  ],
  'a key and a threshold more': [
    [[1], 1, [1]],
    [[1, 2], 2, [1, 2]],
  ],
};
const refuses: Readonly<Record<string, readonly Version[]>> = {
  'a new key without the old one': [
    [[1], 1, [1]],
    [[2], 1, [2, 3, 4]],
  ],
  'an old key without the new one': [
    [[1], 1, [1]],
    [[2], 1, [1, 3, 4]],
  ],
  'two of three new keys': [
    [five, 3, [0, 2, 4]],
    [fiveRotated, 3, [0, 2, 4]],
  ],
  'two of three old keys': [
    [five, 3, [0, 2, 4]],
    [fiveRotated, 3, [0, 4, 5]],
  ],
  'a threshold that rises and is not reached': [
    [[1, 2, 3], 1, [1]],
    [[1, 2, 3], 2, [2]],
  ],
  'a threshold that falls and was not reached': [
    [[1, 2, 3], 2, [1, 2]],
    [[1, 2, 3], 1, [1]],
  ],
};

describe.concurrent('roots, one after another', () => {
  test.each(Object.entries(follows))('follows %s', async (_, versions) => {
    const forge = rootVersions(versions);
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    expect(client.kept('root')).toBe(new TextDecoder().decode(forge.latest('root')));
  });

  test.each(Object.entries(refuses))('refuses %s, and keeps the root before', async (_, versions) => {
    const forge = rootVersions(versions);
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(1);
    expect(client.version('root')).toBe(versions.length - 1);
  });
});

const onlineRoles = ['timestamp', 'snapshot', 'targets'] as const;

describe.concurrent('the roles below root', () => {
  test.each<readonly [string, Version]>([
    ['by a new key', [[2], 1, [2]]],
    ['by its key among others', [[1], 1, [3, 1, 4]]],
    ['by three of five', [five, 3, [0, 2, 4]]],
    ['by three of five in another order', [five, 3, [0, 4, 1]]],
    ['by three of five, the first', [five, 3, [0, 1, 3]]],
    ['by three of five, the last', [five, 3, [2, 3, 4]]],
  ])('are trusted when they are signed %s', async (_, [keys, threshold, signing]) => {
    const forge = plainForge(Date.now());
    for (const role of onlineRoles) forge.top[role] = { keys: numbered(keys), threshold };
    forge.publishRoot();
    for (const role of onlineRoles) forge.top[role] = { keys: numbered(signing), threshold };
    forge.publish();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    expect(client.trusted()).toEqual({ root: 2, timestamp: 2, snapshot: 2, targets: 2 });
  });

  const insufficient: readonly (readonly [string, Version])[] = [
    ['the old key', [[2], 1, [1, 3, 4]]],
    ['two of three and a stranger', [fiveRotated, 3, [0, 2, 4]]],
    ['two of three', [fiveRotated, 3, [0, 4]]],
    ['all keys, where more than all must sign', [[1, 2, 3, 4, 5], 6, [1, 2, 3, 4, 5]]],
  ];
  test.each(insufficient.flatMap(([name, version]) => onlineRoles.map((role) => [role, name, version] as const)))(
    '%s is refused with %s',
    async (role, _, [keys, threshold, signing]) => {
      const forge = plainForge(Date.now());
      forge.top[role] = { keys: numbered(keys), threshold };
      forge.publishRoot();
      forge.top[role] = { keys: numbered(signing), threshold };
      forge.publish();
      await using client = await initializedClientOf(forge);
      expect(await client.refresh()).toBe(1);
      expect([client.version('root'), client.version(role)]).toEqual([2, undefined]);
    },
  );

  test('one key under the same id many times does not reach a threshold', async () => {
    const forge = plainForge(Date.now());
    const [key] = numbered([1]);
    forge.top.snapshot = { keys: Array.from({ length: 9 }, () => key as TestKey), threshold: 6 };
    forge.publishRoot();
    forge.top.snapshot = { keys: [key as TestKey], threshold: 6 };
    forge.publish();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(1);
    expect(client.version('snapshot')).toBeUndefined();
  });
});

const pemKey = (
  keytype: string,
  scheme: string,
  pair: { publicKey: KeyObject; privateKey: KeyObject },
  padding?: number,
): TestKey => ({
  id: scheme,
  json: { keytype, scheme, keyval: { public: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString() } },
  sign: (canonical) => sign('sha256', canonical, { key: pair.privateKey, ...(padding === undefined ? {} : { padding }) }),
});
const rsa = generateKeyPairSync('rsa', { modulusLength: 3072 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });

describe.concurrent('kinds of keys', () => {
  test.each<TestKey>([
    pemKey('rsa', 'rsassa-pss-sha256', rsa, 6),
    pemKey('rsa', 'rsa-pkcs1v15-sha256', rsa, 1),
    pemKey('ecdsa', 'ecdsa-sha2-nistp256', p256),
    ed25519Key('ed25519'),
  ])('$json.keytype, $json.scheme: counts, and a wrong signature does not', async (key) => {
    const forge = plainForge(Date.now());
    const old = forge.top.root.keys;
    forge.top.root = { keys: [...old, key], threshold: 2 };
    forge.publishRoot();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    expect(client.version('root')).toBe(2);
    const wrong: TestKey = { ...key, sign: (canonical) => key.sign(Uint8Array.of(...canonical, 0)) };
    forge.publishRoot({ by: [...old, wrong] });
    expect(await client.refresh()).toBe(1);
    expect(client.version('root')).toBe(2);
  });
});
