/** What the executable takes for old: versions that go back, and what expired by the clock of the machine. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ed25519Key, type Forge, plainForge } from '../trust/forge.fixture.ts';
import type { TopRole } from '../trust/metadata.ts';
import { clientOf, faketime, initializedClientOf } from './client.fixture.ts';

const dayMs = 86_400_000;
const rotate = (forge: Forge, ...roles: readonly TopRole[]): void => {
  for (const role of roles) forge.top[role] = { keys: [ed25519Key(`${role} after`)], threshold: 1 };
  forge.publishRoot();
};

describe.concurrent('refuses what goes back', () => {
  test('a timestamp', async () => {
    const forge = plainForge(Date.now());
    const old = forge.latest('timestamp');
    forge.publishTimestamp();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    forge.files.set('timestamp.json', old);
    expect(await client.refresh()).toBe(1);
    expect(client.version('timestamp')).toBe(2);
    expect(client.asked.at(-1)).toBe('timestamp.json');
  });

  test.each([false, true])('a snapshot in a new timestamp (hashes: %s)', async (hashed) => {
    const forge = plainForge(Date.now());
    forge.hashed = hashed;
    forge.publish();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    forge.versions.set('snapshot', 1);
    forge.publishTimestamp();
    expect(await client.refresh()).toBe(1);
    expect([client.version('timestamp'), client.version('snapshot')]).toEqual([2, 2]);
    expect(client.asked.at(-1)).toBe('timestamp.json');
  });

  test.each([false, true])('targets in a new snapshot (hashes: %s)', async (hashed) => {
    const forge = plainForge(Date.now());
    forge.hashed = hashed;
    forge.publish();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    forge.versions.set('targets', 1);
    forge.publishSnapshot();
    forge.publishTimestamp();
    expect(await client.refresh()).toBe(1);
    expect([client.version('timestamp'), client.version('snapshot'), client.version('targets')]).toEqual([3, 2, 2]);
  });
});

describe.concurrent('recovers from versions far ahead, by new keys', () => {
  test.each<readonly [TopRole, readonly TopRole[]]>([
    ['timestamp', ['timestamp']],
    ['snapshot', ['snapshot', 'timestamp']],
    ['targets', ['snapshot']],
  ])('of %s', async (role, rotated) => {
    const forge = plainForge(Date.now());
    forge.versions.set(role, 99_998);
    forge.publish();
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    expect(client.version(role)).toBe(99_999);
    rotate(forge, ...rotated);
    forge.versions.set(role, 1);
    forge.publish();
    expect(await client.refresh()).toBe(0);
    expect(client.version(role)).toBe(2);
  });
});

describe.concurrent('refuses what has expired', () => {
  const expired = '2020-01-01T00:00:00Z';
  test.each<readonly [TopRole, Readonly<Record<string, number>>]>([
    ['root', { root: 2, snapshot: 1, targets: 1, timestamp: 1 }],
    ['timestamp', { root: 1, snapshot: 1, targets: 1, timestamp: 1 }],
    ['snapshot', { root: 1, snapshot: 1, targets: 1, timestamp: 2 }],
    ['targets', { root: 1, snapshot: 2, targets: 1, timestamp: 2 }],
  ])('%s', async (role, trusted) => {
    const forge = plainForge(Date.now());
    await using client = await initializedClientOf(forge);
    expect(await client.refresh()).toBe(0);
    const edit = (part: object) => void Object.assign(part, { expires: expired });
    if (role === 'root') forge.publishRoot({ edit });
    if (role === 'targets') forge.publishTargets('targets', { edit });
    forge.publishSnapshot(role === 'snapshot' ? { edit } : {});
    forge.publishTimestamp(role === 'timestamp' ? { edit } : {});
    expect(await client.refresh()).toBe(1);
    expect(client.trusted()).toEqual(trusted);
  });

  test('a delegated role, and keeps nothing of it', async () => {
    const forge = plainForge(Date.now());
    forge.delegated.set('a', { parent: 'targets', keys: [ed25519Key('a')], threshold: 1, terminating: false, paths: ['a/*'] });
    forge.addTarget('a', 'a/x', 'content');
    forge.publishTargets('a', { edit: (part) => Object.assign(part, { expires: expired }) });
    forge.publishTargets();
    forge.publishSnapshot();
    forge.publishTimestamp();
    await using client = await initializedClientOf(forge);
    client.artifacts.set('a/x', 'content');
    expect(await client.refresh()).toBe(0);
    expect(await client.download('a/x')).toBe(1);
    expect(client.downloads()).toEqual([]);
    expect(client.trusted()).toEqual({ root: 1, timestamp: 2, snapshot: 2, targets: 2 });
  });
});

describe.skipIf(!existsSync(faketime)).concurrent('by the clock of the machine (faketime)', () => {
  /** Everything for seven days, but what a test sets otherwise. */
  const forDays = (days: number): number => Date.now() + days * dayMs;

  test('a root for seven days has expired after eight', async () => {
    const forge = plainForge(Date.now());
    forge.expiresMs = forDays(7);
    forge.publishRoot();
    forge.expiresMs = forDays(21);
    forge.publish();
    await using client = await clientOf(forge, forge.files.get('1.root.json'));
    expect(await client.refresh()).toBe(0);
    expect(await client.refresh(8)).toBe(1);
  });

  test.each<TopRole>(['root', 'timestamp', 'snapshot', 'targets'])(
    'a kept %s that has expired leads to one that has not',
    async (role) => {
      const forge = plainForge(Date.now());
      const publish = (days: number): void => {
        forge.expiresMs = forDays(role === 'root' ? days : 21);
        forge.publishRoot();
        forge.expiresMs = forDays(role === 'targets' ? days : 21);
        forge.publishTargets();
        forge.expiresMs = forDays(role === 'snapshot' ? days : 21);
        forge.publishSnapshot();
        forge.expiresMs = forDays(role === 'timestamp' ? days : 21);
        forge.publishTimestamp();
      };
      publish(7);
      await using client = await initializedClientOf(forge);
      expect(await client.refresh()).toBe(0);
      expect(await client.refresh(18)).toBe(1);
      publish(21);
      expect(await client.refresh(18)).toBe(0);
      expect(client.trusted()).toEqual({ root: 3, timestamp: 3, snapshot: 3, targets: 3 });
    },
  );

  test('a kept delegated role that has expired is not used, and leads to one that has not', async () => {
    const forge = plainForge(Date.now());
    forge.expiresMs = forDays(21);
    forge.publishRoot();
    forge.delegated.set('a', { parent: 'targets', keys: [ed25519Key('a')], threshold: 1, terminating: false, paths: ['a/*'] });
    for (const name of ['first', 'second']) forge.addTarget('a', `a/${name}`, name);
    const publish = (days: number): void => {
      forge.expiresMs = forDays(days);
      forge.publishTargets('a');
      forge.expiresMs = forDays(21);
      forge.publishTargets();
      forge.publishSnapshot();
      forge.publishTimestamp();
    };
    publish(7);
    await using client = await initializedClientOf(forge);
    for (const name of ['first', 'second']) client.artifacts.set(`a/${name}`, name);
    expect(await client.download('a/first')).toBe(0);
    expect(await client.download('a/second', 18)).toBe(1);
    expect(client.downloads()).toEqual(['first']);
    publish(21);
    expect(await client.download('a/second', 18)).toBe(0);
    expect(client.downloads()).toEqual(['first', 'second']);
  });
});
