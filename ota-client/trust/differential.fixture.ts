/** The same repository seen by our client under plain TUF 1.0 and by tuf-js. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BaseFetcher, Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { codeOf, done, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryStore } from '#hal/memory/durable-store';
import { allSchemes } from '#ota-client/interoperability/other-keys';
import { plainThreshold } from '#ota-client/interoperability/plain-threshold';
import { type Forge, forgeFetch } from './forge.fixture.ts';
import { metadataBytes } from './limits.ts';
import { refresh } from './refresh.ts';
import { findTarget } from './search.ts';
import type { Trust } from './session.ts';

export interface Verdict {
  readonly accepted: boolean;
  /** For people. */
  readonly why: string;
  /** Versions that are kept as trusted afterwards, undefined where nothing is. */
  readonly versions: Readonly<Record<string, number | undefined>>;
}

export interface Client {
  /** @param target looked for after a refresh */
  update(target?: string): Promise<Verdict>;
  close(): void;
}

const roles = ['root', 'timestamp', 'snapshot', 'targets'] as const;

const versionOf = (bytes: Uint8Array | undefined): number | undefined =>
  bytes === undefined
    ? undefined
    : (JSON.parse(new TextDecoder().decode(bytes)) as { readonly signed: { readonly version: number } }).signed.version;

const versionsOf = (read: (role: string) => Uint8Array | undefined) =>
  Object.fromEntries(roles.map((role) => [role, versionOf(read(role))]));

export const ourClient = (forge: Forge, pinnedRoot: Uint8Array): Client => {
  const kept = new Map<string, Uint8Array>();
  const store = memoryStore(kept);
  const trust: Trust = {
    crypto: nodeCrypto,
    rule: plainThreshold,
    schemes: allSchemes,
    fetch: forgeFetch(forge),
    store,
    pinnedRoot,
  };
  const newestRoot = (): Uint8Array =>
    [...kept]
      .filter(([name]) => name.startsWith('root/'))
      .map(([, bytes]) => bytes)
      .at(-1) ?? pinnedRoot;
  return {
    async update(target) {
      const signal = new AbortController().signal;
      const repository = await refresh(trust, { nowMs: Date.now(), floorMs: 0 }, signal);
      let result: Result<unknown> = repository;
      if (repository.ok) result = target === undefined ? done : await findTarget(repository.value, target);
      return {
        accepted: result.ok,
        why: result.ok ? 'accepted' : `${codeOf(result.fault)} ${result.fault.detail ?? ''}`,
        versions: versionsOf((role) => (role === 'root' ? newestRoot() : kept.get(`${role}.json`))),
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
  const read = (role: string): Uint8Array | undefined => {
    try {
      return readFileSync(join(folder, `${role}.json`));
    } catch {
      return undefined;
    }
  };
  return {
    async update(target) {
      let why = 'accepted';
      try {
        const updater = new Updater({
          metadataDir: folder,
          metadataBaseUrl: 'memory:/',
          fetcher: new ForgeFetcher(forge),
          // Its default for a timestamp is 16,384 bytes, which three hybrid custodians exceed.
          config: { timestampMaxLength: metadataBytes.timestamp },
        });
        await updater.refresh();
        if (target !== undefined && (await updater.getTargetInfo(target)) === undefined) why = 'no such target';
      } catch (error) {
        why = String(error);
      }
      return { accepted: why === 'accepted', why, versions: versionsOf(read) };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
};
