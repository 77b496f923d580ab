/**
 * Where this client and tuf-js 6.0.2 answer differently, one by one. Ours is the stricter in each, on purpose; the
 * histories of `differential.prop.test.ts` hold everything else alike.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { type Client, ourClient, tufJsClient } from './differential.fixture.ts';
import { type Edit, ed25519Key, type Forge, hybridForge, plainForge, type TestKey } from './forge.fixture.ts';
import type { Json, JsonObject } from './json.ts';

const update = async (forge: Forge, target?: string) => {
  const root = forge.files.get('1.root.json') ?? new Uint8Array();
  const clients: readonly Client[] = [ourClient(forge, root), tufJsClient(forge, root)];
  const [ours, theirs] = [await clients[0]?.update(target), await clients[1]?.update(target)];
  for (const client of clients) client.close();
  return { ours: ours?.accepted ? 'accepted' : ours?.why.split(' ')[0], theirs: theirs?.accepted };
};

const edited =
  (edit: Edit): ((forge: Forge) => void) =>
  (forge) => {
    forge.publishTargets('targets', { edit });
    forge.publishSnapshot();
    forge.publishTimestamp();
  };
const setting = (name: string, value: Json) => edited((signed) => Object.assign(signed, { [name]: value }));
/** The text of the file is changed after it was signed, in a way that tuf-js does not see. */
const respelled =
  (from: string, to: string): ((forge: Forge) => void) =>
  (forge) => {
    forge.hashed = false;
    const after = (bytes: Uint8Array) => utf8(new TextDecoder().decode(bytes).replace(from, to));
    forge.publishTargets('targets', { after });
    forge.publishSnapshot();
    forge.publishTimestamp();
  };
const withTimestampKey =
  (key: TestKey, threshold = 1, others: readonly TestKey[] = []) =>
  (forge: Forge) => {
    forge.top.timestamp = { keys: [key, ...others], threshold };
    forge.publishRoot();
    forge.publish();
  };
const foreignKey = (type: 'ed448' | 'ml-dsa-65'): TestKey => {
  const { publicKey, privateKey } = generateKeyPairSync(type as 'ed448');
  const json: JsonObject = {
    keytype: 'ed25519',
    scheme: 'ed25519',
    keyval: { public: publicKey.export({ type: 'spki', format: 'pem' }).toString() },
  };
  return { id: 'foreign', json, sign: (canonical) => sign(null, canonical, privateKey) };
};
const delegation = (name: string, paths: readonly string[]): Json => ({
  keys: { [ed25519Key('d').id]: ed25519Key('d').json },
  roles: [{ name, keyids: [ed25519Key('d').id], threshold: 1, terminating: false, paths }],
});

describe('ours and tuf-js', () => {
  test.each<readonly [string, string, (forge: Forge) => void]>([
    ['an ML-DSA key declared as Ed25519', 'integrity/custodians-missing', withTimestampKey(foreignKey('ml-dsa-65'))],
    ['an Ed448 key declared as Ed25519', 'integrity/custodians-missing', withTimestampKey(foreignKey('ed448'))],
    [
      'one key under two ids counts once',
      'integrity/custodians-missing',
      withTimestampKey(ed25519Key('t'), 2, [{ ...ed25519Key('t'), id: 'alias' }]),
    ],
    [
      'a key with a scheme that is not that of its type',
      'integrity/custodians-missing',
      withTimestampKey({ ...ed25519Key('t'), json: { ...ed25519Key('t').json, scheme: 'other' } }),
    ],
    ['a name that stands twice', 'protocol/malformed', respelled('"_type":"targets"', '"_type":"root","_type":"targets"')],
    ['a number with an exponent', 'protocol/malformed', respelled('"version":2', '"version":2e0')],
    ['a number with a fraction', 'protocol/malformed', respelled('"version":2', '"version":2.0')],
    ['a time in another format', 'protocol/field-invalid', setting('expires', '2099-01-01')],
    ['a 30th of February', 'protocol/field-invalid', setting('expires', '2099-02-30T00:00:00Z')],
    ['a specification in words of its own', 'protocol/field-invalid', setting('spec_version', '1.')],
    ['a target without a hash', 'protocol/field-invalid', setting('targets', { x: { length: 1, hashes: {} } })],
    [
      'a target whose hash nobody knows',
      'protocol/field-invalid',
      setting('targets', { x: { length: 1, hashes: { other: '00' } } }),
    ],
    [
      'a target whose custom is no object',
      'protocol/field-invalid',
      setting('targets', { x: { length: 1, hashes: { sha256: '00' }, custom: 1 } }),
    ],
    ['a pattern with a set of characters', 'protocol/field-invalid', setting('delegations', delegation('a', ['[ab]']))],
    ['a pattern with alternatives', 'protocol/field-invalid', setting('delegations', delegation('a', ['{a,b}']))],
    [
      'metadata of another kind beside the snapshot',
      'accepted',
      (forge) =>
        forge.publishTimestamp({
          edit: (signed) => Object.assign(signed, { meta: { ...(signed['meta'] as JsonObject), 'other.json': { version: 1 } } }),
        }),
    ],
    [
      'a root that does not say whether names have versions',
      'accepted',
      (forge) => {
        forge.consistent = false;
        forge.publishRoot({ edit: (signed) => void delete signed['consistent_snapshot'] });
        forge.publish();
      },
    ],
  ])('%s: %s', async (_, expected, attack) => {
    const forge = plainForge(Date.now());
    attack(forge);
    const { ours, theirs } = await update(forge);
    expect(ours).toBe(expected);
    // The last two are the other way round: tuf-js refuses what the specification allows.
    expect(theirs).toBe(expected !== 'accepted');
  });

  test('a snapshot that was replaced under its version is fetched again by ours; tuf-js keeps the first', async () => {
    const forge = plainForge(Date.now());
    const root = forge.latest('root');
    const clients = [ourClient(forge, root), tufJsClient(forge, root)] as const;
    for (const client of clients) expect((await client.update()).accepted).toBe(true);
    forge.publishTargets();
    forge.versions.set('snapshot', 0);
    forge.publishSnapshot();
    forge.publishTimestamp();
    const [ours, theirs] = [await clients[0].update(), await clients[1].update()];
    expect([ours.accepted, ours.versions['targets']]).toEqual([true, 2]);
    expect([theirs.accepted, theirs.versions['targets']]).toEqual([true, 1]);
    for (const client of clients) client.close();
  });

  test('names beyond U+FFFF are sorted by code point, as the reference client does; tuf-js sorts by UTF-16 unit', async () => {
    const forge = plainForge(Date.now());
    forge.addTarget('targets', '\uffff', 'a');
    forge.addTarget('targets', '😀', 'b');
    forge.publish();
    expect(await update(forge)).toEqual({ ours: 'accepted', theirs: false });
  });
});

describe('a client of plain TUF 1.0', () => {
  test('verifies a hybrid repository, its delegations and rotations, as tuf-js does', async () => {
    const forge = hybridForge(Date.now());
    const root = forge.latest('root');
    const client = tufJsClient(forge, root);
    forge.delegated.set('os', {
      parent: 'targets',
      keys: forge.top.targets.keys,
      threshold: 2,
      terminating: true,
      paths: ['os/*'],
    });
    forge.addTarget('os', 'os/x.img', 'content', { releaseCounter: 1 });
    forge.publishRoot();
    forge.publish();
    const { accepted, why, versions } = await client.update('os/x.img');
    expect(why).toBe('accepted');
    expect(accepted).toBe(true);
    expect(versions).toEqual({ root: 2, timestamp: 2, snapshot: 2, targets: 2 });
    client.close();
  });
});
