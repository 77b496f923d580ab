import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clientOf } from './interoperability/client.fixture.ts';
import { plainForge } from './trust/forge.fixture.ts';

const root = join(import.meta.dirname, '..');

/** All that the suite asks is in interoperability/*.parts.test.ts. */
test('the client of the conformance suite: init, refresh, download; refuses with 1', async () => {
  const forge = plainForge(Date.now());
  await using client = await clientOf(forge);
  forge.addTarget('targets', 'os/x.img', 'content');
  client.artifacts.set('os/x.img', 'content');
  forge.publish();
  expect(await client.refresh()).toBe(1);
  expect(await client.init()).toBe(0);
  expect(client.asked).toEqual([]);
  expect(await client.refresh()).toBe(0);
  expect(client.trusted()).toEqual({ root: 1, snapshot: 2, targets: 2, timestamp: 2 });
  expect(await client.download('os/x.img')).toBe(0);
  expect(client.downloads()).toEqual(['content']);
  forge.publishTimestamp({ by: [] });
  expect(await client.refresh()).toBe(1);
  expect(client.version('timestamp')).toBe(2);
});

describe('SR-09: no device reaches the mode without the custodian rule', () => {
  const sourcesBelow = (folder: string): readonly string[] =>
    readdirSync(join(root, folder)).flatMap((name) => {
      const path = `${folder}/${name}`;
      if (name === 'node_modules' || name === 'gen') return [];
      if (statSync(join(root, path)).isDirectory()) return sourcesBelow(path);
      return name.endsWith('.ts') && !/\.(?:test|fixture|d)\.ts$/.test(name) ? [path] : [];
    });
  const importsOf = (path: string): readonly string[] =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name = '']) =>
      name.startsWith('#') ? `${name.slice(1)}.ts` : join(dirname(path), name),
    );
  const isInteroperable = (path: string): boolean =>
    path === 'ota-client/conformance.ts' || path.startsWith('ota-client/interoperability/');

  test('only the conformance executable and tests import it', () => {
    const rooms = ['hal', 'attestation', 'ota-client', 'agents', 'sim', 'tools'];
    const sources = rooms.flatMap(sourcesBelow);
    expect(sources.length).toBeGreaterThan(100);
    const importing = sources.filter((path) => !isInteroperable(path) && importsOf(path).some(isInteroperable));
    expect(importing).toEqual([]);
    expect(importsOf('ota-client/conformance.ts').filter(isInteroperable)).toHaveLength(4);
  });
});
