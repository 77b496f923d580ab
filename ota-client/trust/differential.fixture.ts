/** The same repository seen by our client under plain TUF 1.0 and by tuf-js. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BaseFetcher, Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { codeOf, done } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryStore } from '#hal/memory/durable-store';
import { allSchemes } from '#ota-client/interoperability/other-keys';
import { plainThreshold } from '#ota-client/interoperability/plain-threshold';
import { at, type Forge, forgeFetch, never } from './forge.fixture.ts';
import { metadataBytes } from './limits.ts';
import { refresh } from './refresh.ts';
import { findTarget } from './search.ts';
import type { Trust } from './session.ts';

export interface Verdict {
  readonly accepted: boolean;
  /** For people, and for the table of differences. */
  readonly why: string;
  /** Length and hashes of the target, where one was looked for and found. */
  readonly found: string | undefined;
  /** Versions that are kept as trusted afterwards, by the name of the file. */
  readonly versions: Readonly<Record<string, number>>;
}

export interface Client {
  /** @param target looked for after a refresh */
  update(nowMs: number, target?: string): Promise<Verdict>;
  close(): void;
}

const versionOf = (bytes: Uint8Array): number =>
  (JSON.parse(new TextDecoder().decode(bytes)) as { readonly signed: { readonly version: number } }).signed.version;

const versionsOf = (files: Iterable<readonly [string, Uint8Array]>): Verdict['versions'] =>
  Object.fromEntries([...files].map(([name, bytes]) => [name, versionOf(bytes)] as const).toSorted());

const described = (length: number, hashes: Iterable<readonly [string, string]>): string =>
  JSON.stringify([length, [...hashes].toSorted()]);

export const ourClient = (forge: Forge, pinnedRoot: Uint8Array): Client => {
  const kept = new Map<string, Uint8Array>();
  const parts = { crypto: nodeCrypto, rule: plainThreshold, schemes: allSchemes };
  const trust: Trust = { ...parts, fetch: forgeFetch(forge), store: memoryStore(kept), pinnedRoot };
  /** Roots are kept one by one, in the order of their versions. */
  const keptFiles = (): ReadonlyMap<string, Uint8Array> =>
    new Map([
      ['root.json', pinnedRoot],
      ...[...kept].map(([name, bytes]) => [name.startsWith('root/') ? 'root.json' : name, bytes] as const),
    ]);
  return {
    async update(nowMs, target) {
      const repository = await refresh(trust, at(nowMs), never);
      const found = repository.ok && target !== undefined ? await findTarget(repository.value, target) : undefined;
      const result = repository.ok ? (found ?? done) : repository;
      return {
        accepted: result.ok,
        why: result.ok ? 'accepted' : `${codeOf(result.fault)} ${result.fault.detail ?? ''}`,
        found: found?.ok ? described(found.value.file.length, found.value.file.hashes) : undefined,
        versions: versionsOf(keptFiles()),
      };
    },
    close: () => undefined,
  };
};

class ForgeFetcher extends BaseFetcher {
  private readonly forge: Forge;
  constructor(forge: Forge) {
    super();
    this.forge = forge;
  }
  override async fetch(): Promise<never> {
    throw new Error('only whole files are fetched');
  }
  override async downloadBytes(url: string, maxLength: number): Promise<Buffer> {
    const bytes = this.forge.files.get(url.slice('memory:/'.length));
    if (bytes === undefined) throw new DownloadHTTPError('not found', 404);
    if (bytes.length > maxLength) throw new Error('too long');
    return Buffer.from(bytes);
  }
}

export const tufJsClient = (forge: Forge, pinnedRoot: Uint8Array): Client => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-tuf-js-'));
  mkdirSync(join(folder, 'targets'));
  writeFileSync(join(folder, 'root.json'), pinnedRoot);
  const keptFiles = () =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => [name, readFileSync(join(folder, name))] as const);
  const updated = async (nowMs: number, target: string | undefined): Promise<Pick<Verdict, 'why' | 'found'>> => {
    try {
      // Its default for a timestamp is 16,384 bytes, which three hybrid custodians exceed.
      const config = { timestampMaxLength: metadataBytes.timestamp };
      const fetcher = new ForgeFetcher(forge);
      const updater = new Updater({ metadataDir: folder, metadataBaseUrl: 'memory:/', fetcher, config });
      // It has no parameter for the time.
      Object.assign(updater['trustedSet'], { referenceTime: new Date(nowMs) });
      await updater.refresh();
      if (target === undefined) return { why: 'accepted', found: undefined };
      const found = await updater.getTargetInfo(target);
      if (found === undefined) return { why: 'no such target', found: undefined };
      return { why: 'accepted', found: described(found.length, Object.entries(found.hashes ?? {})) };
    } catch (error) {
      return { why: String(error), found: undefined };
    }
  };
  return {
    async update(nowMs, target) {
      const { why, found } = await updated(nowMs, target);
      return { accepted: why === 'accepted', why, found, versions: versionsOf(keptFiles()) };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
};
