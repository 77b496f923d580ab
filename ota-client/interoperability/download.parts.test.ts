/** Targets as the executable finds and fetches them: the order of its requests, names of files, hashes and lengths. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ed25519Key, type Forge, plainForge } from '../trust/forge.fixture.ts';
import { type ClientRun, initializedClientOf } from './client.fixture.ts';

type Delegation = readonly [parent: string, name: string, options?: { terminating?: boolean; paths?: readonly string[] }];
const delegate = (forge: Forge, delegations: readonly Delegation[]): void => {
  for (const [parent, name, { terminating = false, paths = ['*'] } = {}] of delegations) {
    forge.delegated.set(name, { parent, keys: [ed25519Key(name)], threshold: 1, terminating, paths });
    forge.roleTargets(name);
  }
};
const add = (forge: Forge, client: ClientRun, role: string, path: string, content: string): void => {
  forge.addTarget(role, path, content);
  client.artifacts.set(path, content);
};
/** What a download asked for below the top-level metadata: `1.A.json` is `A`. */
const rolesAsked = ({ asked }: ClientRun): readonly string[] =>
  asked.slice(asked.findIndex((name) => name.endsWith('targets.json')) + 1).map((name) => name.replace(/^\d+\.|\.json$/g, ''));

describe.concurrent('a download', () => {
  test('fetches a file once, by a name with its hash, also below a folder; several at once where they are named', async () => {
    const forge = plainForge(Date.now());
    await using client = await initializedClientOf(forge);
    add(forge, client, 'targets', 'x.txt', 'x');
    add(forge, client, 'targets', 'path/to/a/y.txt', 'y');
    forge.publish();
    expect(await client.download('x.txt')).toBe(0);
    expect(client.downloads()).toEqual(['x']);
    expect(client.fetched).toEqual([['x.txt', createHash('sha256').update('x').digest('hex')]]);
    expect(await client.download(['x.txt', 'path/to/a/y.txt'])).toBe(0);
    expect(client.downloads().toSorted()).toEqual(['x', 'y']);
    expect(client.fetched).toHaveLength(2);
  });

  test('by plain names where the root says so; roles may be called . and ..', async () => {
    const forge = plainForge(Date.now());
    forge.consistent = false;
    forge.publishRoot();
    delegate(forge, [
      ['targets', 'role1'],
      ['targets', '..'],
      ['targets', '.'],
    ]);
    await using client = await initializedClientOf(forge);
    add(forge, client, '.', 'x.txt', 'x');
    forge.publish();
    expect(await client.download('x.txt')).toBe(0);
    expect(client.asked).toEqual([
      ...['2.root.json', '3.root.json', 'timestamp.json', 'snapshot.json', 'targets.json'],
      ...['role1.json', '...json', '..json'],
    ]);
    expect(client.fetched).toEqual([['x.txt', undefined]]);
  });

  test('never takes what is not the target, and keeps what it has', async () => {
    const forge = plainForge(Date.now());
    await using client = await initializedClientOf(forge);
    add(forge, client, 'targets', 'x', 'content');
    add(forge, client, 'targets', 'y', 'content of y');
    forge.publish();
    expect(await client.download('x')).toBe(0);
    for (const [path, wrong] of [
      ['x', 'other'],
      ['y', 'contens of y'],
      ['y', 'content of y and more'],
    ] as const) {
      client.artifacts.set(path, wrong);
      expect(await client.download(path)).toBe(path === 'x' ? 0 : 1);
      expect(client.downloads()).toEqual(['content']);
    }
  });

  test('replaces a file when its target changes', async () => {
    const forge = plainForge(Date.now());
    await using client = await initializedClientOf(forge);
    for (const content of ['first', 'second', 'third']) {
      add(forge, client, 'targets', 'x', content);
      forge.publish();
      forge.publish(); // a version that the client never sees
      expect(await client.download('x')).toBe(0);
      expect(client.downloads()).toEqual([content]);
      client.artifacts.set('x', `${content}, by somebody else`);
      forge.publish();
      await client.download('x');
      expect(client.downloads()).toEqual([content]);
    }
  });

  test.each([[['sha256']], [['sha512']], [['sha256', 'sha512']]])(
    'with %j, any of which may be in the name',
    async (algorithms) => {
      const forge = plainForge(Date.now());
      await using client = await initializedClientOf(forge);
      const hashes = Object.fromEntries(algorithms.map((name) => [name, createHash(name).update('content').digest('hex')]));
      forge.roleTargets('targets').set('x', { length: 7, hashes });
      client.artifacts.set('x', 'content');
      forge.publish();
      expect(await client.download('x')).toBe(0);
      expect(client.downloads()).toEqual(['content']);
      expect(Object.values(hashes)).toContain(client.fetched[0]?.[1]);
    },
  );

  test('not with a hash that nobody knows', async () => {
    const forge = plainForge(Date.now());
    await using client = await initializedClientOf(forge);
    forge.roleTargets('targets').set('x', { length: 7, hashes: { unknown: '00'.repeat(64) } });
    client.artifacts.set('x', 'content');
    forge.publish();
    expect(await client.download('x')).toBe(1);
    expect(client.downloads()).toEqual([]);
  });
});

/** `A` is delegated by targets, `A>C` by A; `!` is terminating; a pattern stands in parentheses. */
const graph = (text: string): readonly Delegation[] =>
  text.split(' ').map((edge) => {
    const [, parent = 'targets', name = '', terminating, pattern = '*'] = /^(?:(\w+)>)?(\w+)(!)?(?:\((.+)\))?$/.exec(edge) ?? [];
    return [parent, name, { terminating: terminating !== undefined, paths: pattern.split(',') }];
  });

describe.concurrent('a search', () => {
  test.each([
    ['A', 'A'],
    ['A B', 'A B'],
    ['A B B>C', 'A B C'],
    ['A B A>C A>D', 'A C D B'],
    ['A B A>C C>D', 'A C D B'],
    ['A B A>C! A>D', 'A C'],
    ['A B A>C! C>D', 'A C D'],
    ['A(*.py) B A>C', 'B'],
    ['A B A>C(*.py) C>D', 'A B'],
  ])('of %s asks %s', async (edges, order) => {
    const forge = plainForge(Date.now());
    delegate(forge, graph(edges));
    forge.publish();
    await using client = await initializedClientOf(forge);
    expect(await client.download('missing')).toBe(1);
    expect(rolesAsked(client).join(' ')).toBe(order);
  });

  /** A role with two parents: each of them is published with a delegation of its own. */
  test.each([
    ['A B B>C C>D', ['D', 'B', '*'], 'A B C D'],
    ['A B B>C', ['A', 'C', '*'], 'A C B'],
    ['A B B>C', ['A', 'C', '*.py'], 'A B C'],
  ] as const)('of %s and %j asks %s', async (edges, [parent, name, pattern], order) => {
    const forge = plainForge(Date.now());
    delegate(forge, graph(edges));
    const keys = [ed25519Key(name)];
    const second = { name, keyids: keys.map(({ id }) => id), threshold: 1, terminating: false, paths: [pattern] };
    const delegations = { keys: Object.fromEntries(keys.map(({ id, json }) => [id, json])), roles: [second] };
    for (const role of forge.targetFiles.keys())
      forge.publishTargets(role, role === parent ? { edit: (part) => Object.assign(part, { delegations }) } : {});
    forge.publishSnapshot();
    forge.publishTimestamp();
    await using client = await initializedClientOf(forge);
    expect(await client.download('missing')).toBe(1);
    expect(rolesAsked(client).join(' ')).toBe(order);
  });

  test.each([
    ['target', true, ''],
    ['README.md', true, 'A'],
    ['releases/x/v1', true, 'B C'],
    ['releases/y/v1.zip', true, 'B D'],
    ['releases/z/v1.zip', false, 'B'],
  ])('for %s: found %s, after asking %j', async (path, found, order) => {
    const forge = plainForge(Date.now());
    await using client = await initializedClientOf(forge);
    delegate(forge, graph('A(*.doc,*.md) B(releases/*/*) B>C(releases/x/*) B>D(releases/y/*.zip)'));
    add(forge, client, 'targets', 'target', 'target');
    add(forge, client, 'A', 'README.md', 'by A');
    add(forge, client, 'C', 'releases/x/v1', 'by C');
    add(forge, client, 'D', 'releases/y/v1.zip', 'by D');
    add(forge, client, 'D', 'releases/z/v1.zip', 'by D as well');
    forge.publish();
    expect(await client.download(path)).toBe(found ? 0 : 1);
    expect(client.downloads()).toEqual(found ? [client.artifacts.get(path)] : []);
    expect(rolesAsked(client).join(' ')).toBe(order);
  });

  test('in hash bins asks the one bin of the path (TAP 15)', async () => {
    const forge = plainForge(Date.now());
    forge.bins = { prefix: 'bin', bits: 8, keys: [ed25519Key('bins')], threshold: 1 };
    await using client = await initializedClientOf(forge);
    add(forge, client, 'bin-fc', 'bar', 'content');
    forge.publish();
    expect(await client.download('bar')).toBe(0);
    expect(rolesAsked(client)).toEqual(['bin-fc']);
  });

  test.each(['?', '#', '/delegatedrole', '../delegatedrole'])(
    'quotes the role %j in its requests and among its files',
    async (role) => {
      const forge = plainForge(Date.now());
      delegate(forge, [['targets', role]]);
      forge.publish();
      await using client = await initializedClientOf(forge);
      expect(await client.download('missing')).toBe(1);
      expect(client.asked.at(-1)).toBe(`1.${encodeURIComponent(role)}.json`);
      expect(Object.keys(client.trusted())).toHaveLength(5);
    },
  );
});
