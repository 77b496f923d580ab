/** The executable of this room as a process of its own, beside a repository over real HTTP: what the TUF project's suite does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Forge } from '../trust/forge.fixture.ts';

const executable = join(import.meta.dirname, '../conformance');
/** Of the Debian package of that name. */
export const faketime = '/usr/bin/faketime';

export interface ClientRun extends AsyncDisposable {
  /** Files of targets by path, as the server has them. */
  readonly artifacts: Map<string, string>;
  /** What was asked for below `metadata/`, in order. */
  readonly asked: string[];
  /** What was asked for below `targets/`: the path, and the hash before its base name. */
  readonly fetched: (readonly [path: string, hash: string | undefined])[];
  /** @returns the exit code, as that of all three commands */
  init(initial?: Uint8Array): Promise<number | null>;
  /** @param daysAhead the clock of the process, as faketime sets it */
  refresh(daysAhead?: number): Promise<number | null>;
  download(paths: string | readonly string[], daysAhead?: number): Promise<number | null>;
  /** The bytes that are kept as trusted, undefined where there are none. */
  kept(role: string): string | undefined;
  version(role: string): number | undefined;
  /** Version of every role that is trusted, by the name of its file. */
  trusted(): Readonly<Record<string, number>>;
  /** Contents of the downloaded files, in the order of their names. */
  downloads(): readonly string[];
}

/** A client that was given the repository's first root, without a process for it: `init` does no more than copy it. */
export const initializedClientOf = (forge: Forge): Promise<ClientRun> => clientOf(forge, forge.files.get('1.root.json'));

/**
 * A folder of its own and a server of its own; both are gone at the end of the scope.
 * @param root left out for a client that was not initialized
 */
export const clientOf = async (forge: Forge, root?: Uint8Array): Promise<ClientRun> => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-tuf-client-'));
  const [metadata, targets] = [join(folder, 'metadata'), join(folder, 'targets')];
  for (const name of [metadata, targets]) mkdirSync(name);
  if (root !== undefined) writeFileSync(join(metadata, 'root.json'), root);
  const asked: string[] = [];
  const fetched: ClientRun['fetched'] = [];
  const artifacts = new Map<string, string>();

  const artifactAt = (name: string): string | undefined => {
    const slash = name.lastIndexOf('/') + 1;
    const dot = forge.consistent ? name.indexOf('.', slash) : -1;
    const path = dot === -1 ? name : name.slice(0, slash) + name.slice(dot + 1);
    fetched.push([path, dot === -1 ? undefined : name.slice(slash, dot)]);
    return artifacts.get(path);
  };
  const server = createServer(({ url = '' }, response) => {
    const [, kind, ...rest] = url.split('/');
    const name = rest.join('/');
    if (kind === 'metadata') asked.push(name);
    const body = kind === 'metadata' ? forge.files.get(name) : artifactAt(decodeURIComponent(name));
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const run = async (daysAhead: number | undefined, words: readonly string[]): Promise<number | null> => {
    const [command = '', ...rest] = [
      ...(daysAhead === undefined ? [] : [faketime, '-f', `+${daysAhead}d`]),
      ...[executable, '--metadata-dir', metadata, ...words],
    ];
    const [code] = (await once(spawn(command, rest, { stdio: 'ignore' }), 'close')) as [number | null];
    return code;
  };
  const kept = (role: string): string | undefined => {
    const name = `${encodeURIComponent(role)}.json`;
    return readdirSync(metadata).includes(name) ? readFileSync(join(metadata, name), 'utf8') : undefined;
  };
  const versionIn = (text: string): number => (JSON.parse(text) as { signed: { version: number } }).signed.version;
  return {
    artifacts,
    asked,
    fetched,
    async init(initial = forge.files.get('1.root.json') ?? new Uint8Array()) {
      writeFileSync(join(folder, 'initial_root.json'), initial);
      return run(undefined, ['init', join(folder, 'initial_root.json')]);
    },
    refresh: (daysAhead) => run(daysAhead, ['--metadata-url', `${url}/metadata/`, 'refresh']),
    download: (paths, daysAhead) =>
      run(daysAhead, [
        ...['--metadata-url', `${url}/metadata/`, '--target-base-url', `${url}/targets/`, '--target-dir', targets],
        ...[paths].flat().flatMap((path) => ['--target-name', path]),
        'download',
      ]),
    kept,
    version(role) {
      const text = kept(role);
      return text === undefined ? undefined : versionIn(text);
    },
    trusted: () =>
      Object.fromEntries(
        readdirSync(metadata).map((name) => [name.replace(/\.json$/, ''), versionIn(readFileSync(join(metadata, name), 'utf8'))]),
      ),
    downloads: () =>
      readdirSync(targets)
        .toSorted()
        .map((name) => readFileSync(join(targets, name), 'utf8')),
    async [Symbol.asyncDispose]() {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
