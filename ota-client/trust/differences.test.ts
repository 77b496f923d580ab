/**
 * Where this client and tuf-js 6.0.2 answer differently, one by one; docs/tuf.md has the same list. The histories of
 * `differential.prop.test.ts` hold everything else alike.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Difference } from './difference.fixture.ts';
import { ourClient, tufJsClient } from './differential.fixture.ts';
import { type Forge, hybridForge, plainForge, startMs } from './forge.fixture.ts';
import { looser } from './looser.fixture.ts';
import { stricter } from './stricter.fixture.ts';

const clientsOf = (forge: Forge) => {
  const root = forge.files.get('1.root.json') ?? new Uint8Array();
  return [ourClient(forge, root), tufJsClient(forge, root)] as const;
};
const both = async ({ make, target, isSecond }: Difference) => {
  const forge = plainForge();
  const clients = clientsOf(forge);
  if (isSecond) for (const client of clients) expect((await client.update(startMs)).why).toBe('accepted');
  make(forge);
  const verdicts = [await clients[0].update(startMs, target), await clients[1].update(startMs, target)] as const;
  for (const client of clients) client.close();
  return verdicts;
};

describe('ours refuses, tuf-js accepts', () => {
  test.each(stricter)('$name', async (difference) => {
    const [ours, theirs] = await both(difference);
    expect(ours.why).toMatch(difference.why);
    expect(theirs.why).toBe('accepted');
  });
});

describe('ours accepts, tuf-js refuses', () => {
  test.each(looser)('$name', async (difference) => {
    const [ours, theirs] = await both(difference);
    expect(ours.why).toBe('accepted');
    expect(theirs.why).toMatch(difference.why);
  });
});

describe('both accept, and trust something else', () => {
  test('a snapshot that was replaced under its version is fetched again by ours; tuf-js keeps the first', async () => {
    const forge = plainForge();
    const clients = clientsOf(forge);
    for (const client of clients) expect((await client.update(startMs)).accepted).toBe(true);
    forge.publishTargets();
    forge.versions.set('snapshot', 0);
    forge.publishSnapshot();
    forge.publishTimestamp();
    const [ours, theirs] = [await clients[0].update(startMs), await clients[1].update(startMs)];
    expect([ours.accepted, ours.versions['targets.json']]).toEqual([true, 2]);
    expect([theirs.accepted, theirs.versions['targets.json']]).toEqual([true, 1]);
    for (const client of clients) client.close();
  });
});

test('docs/tuf.md names each of them', () => {
  const document = readFileSync(join(import.meta.dirname, '../../docs/tuf.md'), 'utf8');
  const rowsOf = (heading: string) =>
    (document.split(`### ${heading}\n`)[1]?.split('\n### ')[0]?.split('\n## ')[0] ?? '')
      .split('\n')
      .flatMap((line) => /^- (.+)$/.exec(line)?.[1] ?? []);
  expect(rowsOf('Ours refuses, tuf-js accepts')).toEqual(stricter.map(({ name }) => name));
  expect(rowsOf('Ours accepts, tuf-js refuses')).toEqual(looser.map(({ name }) => name));
});

describe('a client of plain TUF 1.0', () => {
  test('verifies a hybrid repository, its delegations and rotations, as tuf-js does', async () => {
    const forge = hybridForge();
    const client = tufJsClient(forge, forge.latest('root'));
    const { keys } = forge.top.targets;
    forge.delegated.set('os', { parent: 'targets', keys, threshold: 2, terminating: true, paths: ['os/*'] });
    forge.addTarget('os', 'os/x.img', 'content', { releaseCounter: 1 });
    forge.publishRoot();
    forge.publish();
    const { accepted, why, versions } = await client.update(startMs, 'os/x.img');
    expect(why).toBe('accepted');
    expect(accepted).toBe(true);
    expect(versions).toEqual({ 'os.json': 1, 'root.json': 2, 'snapshot.json': 2, 'targets.json': 2, 'timestamp.json': 2 });
    client.close();
  });
});
