import { spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Forge, plainForge, type TestKey } from './trust/forge.fixture.ts';

const root = join(import.meta.dirname, '..');

describe('the client of the conformance suite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-conformance-'));
  const forge = plainForge(Date.now());
  const artifact = 'content';
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURI(request.url ?? '');
    asked.push(path);
    const [, kind, ...rest] = path.split('/');
    const bytes = kind === 'metadata' ? forge.files.get((request.url ?? '').split('/')[2] ?? '') : artifacts.get(rest.join('/'));
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  const artifacts = new Map([[`os/${createHash('sha256').update(artifact).digest('hex')}.x.img`, artifact]]);
  beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const client = (...words: readonly string[]): Promise<number | null> => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const flags = ['--metadata-dir', folder, '--metadata-url', `${url}/metadata`];
    const target = ['--target-name', 'os/x.img', '--target-base-url', `${url}/targets`, '--target-dir', join(folder, 'targets')];
    const program = ['--import', 'tsx', 'ota-client/conformance.ts', ...flags, ...target, ...words];
    return new Promise((resolve) => {
      spawn(process.execPath, program, { cwd: root, stdio: 'ignore' }).on('close', resolve);
    });
  };
  const version = (role: string): number =>
    (JSON.parse(readFileSync(join(folder, `${role}.json`), 'utf8')) as { signed: { version: number } }).signed.version;

  test('init, refresh and download, with keys of other people; refuses with 1', async () => {
    const initial = join(folder, 'initial');
    writeFileSync(initial, forge.latest('root'));
    expect(await client('init', initial)).toBe(0);
    expect(asked).toEqual([]);

    useOtherKeys(forge);
    forge.addTarget('targets', 'os/x.img', artifact);
    forge.publish();
    expect(await client('refresh')).toBe(0);
    expect(readdirSync(folder).filter((name) => name.endsWith('.json'))).toEqual(
      ['root', 'snapshot', 'targets', 'timestamp'].map((name) => `${name}.json`),
    );
    expect([version('root'), version('timestamp'), version('snapshot'), version('targets')]).toEqual([2, 2, 2, 2]);

    mkdirSync(join(folder, 'targets'));
    expect(await client('download')).toBe(0);
    expect(readFileSync(join(folder, 'targets', 'os%2Fx.img'), 'utf8')).toBe(artifact);
    asked.length = 0;
    expect(await client('download')).toBe(0);
    expect(asked.filter((path) => path.startsWith('/targets'))).toEqual([]);

    forge.publishTimestamp({ by: [] });
    expect(await client('refresh')).toBe(1);
    expect(version('timestamp')).toBe(2);
  });
});

/** RSA (PSS and PKCS #1) and ECDSA keys, as the suite and other repositories use them. */
const useOtherKeys = (forge: Forge): void => {
  const key = (
    keytype: string,
    scheme: string,
    pair: { publicKey: KeyObject; privateKey: KeyObject },
    padding?: number,
  ): TestKey => ({
    id: scheme,
    json: { keytype, scheme, keyval: { public: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString() } },
    sign: (canonical) => sign('sha256', canonical, { key: pair.privateKey, ...(padding === undefined ? {} : { padding }) }),
  });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const old = forge.top.root.keys;
  forge.top.timestamp = { keys: [key('rsa', 'rsassa-pss-sha256', rsa, 6)], threshold: 1 };
  forge.top.snapshot = { keys: [key('rsa', 'rsa-pkcs1v15-sha256', rsa, 1)], threshold: 1 };
  forge.top.targets = {
    keys: [key('ecdsa', 'ecdsa-sha2-nistp256', generateKeyPairSync('ec', { namedCurve: 'P-256' }))],
    threshold: 1,
  };
  forge.publishRoot({ by: old });
};

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
    expect(importsOf('ota-client/conformance.ts').filter(isInteroperable)).toHaveLength(2);
  });

  test('it is not among the bundles', () => {
    expect(readFileSync(join(root, 'tools/build/programs.ts'), 'utf8')).not.toMatch(/conformance|interoperability/);
  });
});
