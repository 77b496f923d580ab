/** What the conformance suite asks of a refresh: its requests, what is trusted afterwards, and at which file it ends. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { ed25519Key, type Forge, plainForge, signed, type TestKey } from '../trust/forge.fixture.ts';
import type { JsonObject } from '../trust/json.ts';
import type { TopRole } from '../trust/metadata.ts';
import { clientOf, initializedClientOf } from './client.fixture.ts';

const first = ['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json'];
const topRoles = ['root', 'timestamp', 'snapshot', 'targets'] as const;
const anew = (): Forge => plainForge(Date.now());
const nobody: readonly TestKey[] = [];
/** A root, then everything below it: one role with other options. */
const publishAll = (forge: Forge, role?: TopRole, options: Parameters<Forge['publishTimestamp']>[0] = {}): void => {
  const of = (name: TopRole) => (name === role ? options : {});
  forge.publishRoot(of('root'));
  forge.publishTargets('targets', of('targets'));
  forge.publishSnapshot(of('snapshot'));
  forge.publishTimestamp(of('timestamp'));
};

describe.concurrent('a first refresh', () => {
  test('asks for the next root, timestamp, snapshot and targets, and keeps them as they came', async () => {
    const forge = anew();
    await using client = await clientOf(forge);
    forge.publishTimestamp({ after: (bytes) => utf8(`${new TextDecoder().decode(bytes)} \n`) });
    expect(await client.init()).toBe(0);
    expect(client.asked).toEqual([]);
    expect(await client.refresh()).toBe(0);
    expect(client.asked).toEqual(first);
    for (const role of topRoles) expect(client.kept(role)).toBe(new TextDecoder().decode(forge.latest(role)));
  });

  test('is part of a download, whether the target is there or not', async () => {
    await using client = await clientOf(anew());
    await client.init();
    expect(await client.download('nonexistent artifact')).toBe(1);
    expect(client.asked).toEqual(first);
    expect(client.trusted()).toEqual({ root: 1, timestamp: 1, snapshot: 1, targets: 1 });
  });

  test.each<readonly [string, (file: { signatures: { sig: string }[]; signed: Record<string, unknown> }) => void]>([
    ['has no version', (file) => void delete file.signed['version']],
    ['has a signature of something else', ({ signatures }) => void Object.assign(signatures[0] ?? {}, { sig: '30'.repeat(64) })],
  ])('asks for nothing with an initial root that %s; init does not judge it', async (_, change) => {
    const forge = anew();
    await using client = await clientOf(forge);
    const file = JSON.parse(new TextDecoder().decode(forge.latest('root')));
    change(file);
    expect(await client.init(utf8(JSON.stringify(file)))).toBe(0);
    expect(await client.refresh()).toBe(1);
    expect(client.asked).toEqual([]);
  });

  test('without a root ends with 1', async () => {
    await using client = await clientOf(anew());
    expect(await client.refresh()).toBe(1);
    expect(client.asked).toEqual([]);
  });
});

describe.concurrent('a refresh ends', () => {
  const trustedWhen: Readonly<Record<TopRole, Readonly<Record<string, number>>>> = {
    root: { root: 1 },
    timestamp: { root: 2 },
    snapshot: { root: 2, timestamp: 2 },
    targets: { root: 2, snapshot: 2, timestamp: 2 },
  };

  test.each(topRoles)('at %s without a signature', async (role) => {
    const forge = anew();
    await using client = await initializedClientOf(forge);
    publishAll(forge, role, { by: nobody });
    expect(await client.refresh()).toBe(1);
    expect(client.trusted()).toEqual(trustedWhen[role]);
  });

  test.each(['root', 'snapshot', 'targets'] as const)('at %s of another version than its name', async (role) => {
    const forge = anew();
    await using client = await initializedClientOf(forge);
    publishAll(forge, role, { edit: (part) => Object.assign(part, { version: 3 }) });
    expect(await client.refresh()).toBe(1);
    expect(client.trusted()).toEqual(trustedWhen[role]);
  });

  test('at a snapshot that is not there', async () => {
    const forge = anew();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    forge.publishTimestamp({ edit: (part) => Object.assign(part, { meta: { 'snapshot.json': { version: 2 } } }) });
    expect(await client.refresh()).toBe(1);
    expect(client.asked.at(-1)).toBe('2.snapshot.json');
    expect(client.trusted()).toEqual({ root: 1, snapshot: 1, targets: 1, timestamp: 2 });
  });

  test('at targets that are not there', async () => {
    const forge = anew();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    forge.publishSnapshot({ edit: (part) => Object.assign(part, { meta: { 'targets.json': { version: 2 } } }) });
    forge.publishTimestamp();
    expect(await client.refresh()).toBe(1);
    expect(client.asked.at(-1)).toBe('2.targets.json');
    expect(client.trusted()).toEqual({ root: 1, snapshot: 2, targets: 1, timestamp: 2 });
  });

  test('at a timestamp that is not there', async () => {
    const forge = anew();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    forge.files.delete('timestamp.json');
    expect(await client.refresh()).toBe(1);
    expect(client.asked.at(-1)).toBe('timestamp.json');
  });

  test('at a snapshot in the place of the timestamp, signed by its keys', async () => {
    const forge = anew();
    await using client = await initializedClientOf(forge);
    forge.top.snapshot = forge.top.timestamp;
    forge.publishRoot();
    forge.publishSnapshot({ edit: (part) => Object.assign(part, { meta: { 'snapshot.json': { version: 1 } } }) });
    forge.files.set('timestamp.json', forge.latest('snapshot'));
    expect(await client.refresh()).toBe(1);
    expect(client.trusted()).toEqual({ root: 2 });
  });

  test('at targets whose hash is not the one in the snapshot', async () => {
    const forge = anew();
    await using client = await initializedClientOf(forge);
    forge.publish();
    expect(await client.refresh()).toBe(0);
    forge.publishTargets();
    const wrong = { 'targets.json': { version: 3, hashes: { sha256: '46'.repeat(32) } } };
    forge.publishSnapshot({ edit: (part) => Object.assign(part, { meta: wrong }) });
    forge.publishTimestamp();
    expect(await client.refresh()).toBe(1);
    expect([client.version('snapshot'), client.version('targets')]).toEqual([3, 2]);
  });
});

describe.concurrent('a refresh keeps what it has', () => {
  test('of a timestamp of the same version with other content', async () => {
    const forge = anew();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    const trusted = client.kept('timestamp');
    forge.versions.set('timestamp', 0);
    forge.publishTimestamp({ edit: (part) => Object.assign(part, { meta: { 'snapshot.json': { version: 100 } } }) });
    expect(await client.refresh()).toBe(0);
    expect(client.asked.at(-1)).toBe('timestamp.json');
    expect(client.kept('timestamp')).toBe(trusted);
  });

  test('of targets that no snapshot names yet', async () => {
    const forge = anew();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    forge.publishTargets();
    expect(await client.refresh()).toBe(0);
    expect(client.version('targets')).toBe(1);
    expect(client.asked.at(-1)).toBe('timestamp.json');
  });
});

describe.concurrent('fields that nobody here knows', () => {
  test('are part of what is signed, in root, in a role and in a key', async () => {
    const forge = anew();
    await using client = await initializedClientOf(forge);
    const odd = { ...ed25519Key('odd'), id: 'odd' };
    const key: TestKey = { ...odd, json: { ...odd.json, 'extra-field': { a: 1, b: 2 }, keyid_hash_algorithms: 'md5' } };
    const old = forge.top.root.keys;
    forge.top.root = { keys: [...old, key], threshold: 2 };
    forge.top.snapshot = { keys: [key], threshold: 1 };
    forge.publishRoot({
      by: [...old, key],
      edit: (part) => {
        const roles = part['roles'] as Record<string, JsonObject>;
        Object.assign(part, {
          'custom-field': 'value',
          roles: { ...roles, root: { ...roles['root'], 'another-field': 'value' } },
        });
      },
    });
    forge.publishSnapshot();
    forge.publishTimestamp();
    expect(await client.refresh()).toBe(0);
    expect([client.version('root'), client.version('snapshot')]).toEqual([2, 2]);
  });

  test('and not part of what was signed are refused', async () => {
    const forge = anew();
    await using client = await clientOf(forge);
    const file = JSON.parse(new TextDecoder().decode(forge.latest('root')));
    await client.init(utf8(JSON.stringify({ ...file, signed: { ...file.signed, 'custom-field': 'value' } })));
    expect(await client.refresh()).toBe(1);
    expect(await client.init(signed({ ...file.signed, 'custom-field': 'value' }, forge.top.root.keys))).toBe(0);
    expect(await client.refresh()).toBe(0);
  });
});
