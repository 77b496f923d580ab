/**
 * The client under test of the TUF conformance suite (github.com/theupdateframework/tuf-conformance, CLIENT-CLI.md).
 *
 * It follows plain TUF 1.0, without the custodian rule, and understands keys that no device does. It is never part of a
 * device (SR-09).
 *
 * usage: tsx ota-client/conformance.ts --metadata-dir DIR [--metadata-url URL] [--target-name PATH --target-base-url URL
 * --target-dir DIR] init ROOT | refresh | download
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { concat } from '#hal/core/bytes';
import { causeOf, codeOf, deny, ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import { linuxClock } from '#hal/linux/clock';
import { allSchemes } from '#ota-client/interoperability/other-keys';
import { plainThreshold } from '#ota-client/interoperability/plain-threshold';
import { type Repository, refresh } from '#ota-client/trust/refresh';
import { findTarget } from '#ota-client/trust/search';
import type { Fetch, Trust } from '#ota-client/trust/session';
import { checkTargetFile, targetFileName } from '#ota-client/trust/target-file';

interface Options {
  readonly metadataDir: string;
  readonly metadataUrl: string;
  readonly targetName: string;
  readonly targetBaseUrl: string;
  readonly targetDir: string;
}

const signal = new AbortController().signal;

const httpFetch =
  (baseUrl: string): Fetch =>
  async (name, maxBytes) => {
    try {
      const response = await fetch(`${baseUrl.replace(/\/$/, '')}/${name}`, { signal });
      if (response.status === 404 || response.status === 403) return deny('unavailable', 'not-found', name);
      if (!response.ok || response.body === null) return deny('unavailable', 'peer-refused-us', `${name}: ${response.status}`);
      const chunks: Uint8Array[] = [];
      let total = 0;
      for await (const chunk of response.body) {
        total += chunk.length;
        if (total > maxBytes) return deny('protocol', 'too-large', name);
        chunks.push(chunk);
      }
      return ok(concat(...chunks));
    } catch (error) {
      return deny('unavailable', 'peer-unreachable', causeOf(error));
    }
  };

/** The suite wants one `root.json`; it is the pinned root of the next run, so roots in between are not asked for. */
const folderStore = (folder: string): Trust['store'] => ({
  get: (key) => (isRoot(key) ? ok(undefined) : readIfThere(join(folder, key))),
  put: (key, value) => writeAtomically(join(folder, isRoot(key) ? 'root.json' : key), value),
});

const isRoot = (key: string): boolean => key.startsWith('root/');

const refreshed = ({ metadataDir, metadataUrl }: Options): Promise<Result<Repository>> => {
  const trust: Trust = {
    crypto: nodeCrypto,
    rule: plainThreshold,
    schemes: allSchemes,
    fetch: httpFetch(metadataUrl),
    store: folderStore(metadataDir),
    pinnedRoot: new Uint8Array(readFileSync(join(metadataDir, 'root.json'))),
  };
  return refresh(trust, { nowMs: linuxClock().nowMs(), floorMs: 0 }, signal);
};

const download = async (options: Options): Promise<Result<void>> => {
  const repository = await refreshed(options);
  if (!repository.ok) return repository;
  const found = await findTarget(repository.value, options.targetName);
  if (!found.ok) return found;
  const { file } = found.value;
  const path = join(options.targetDir, encodeURIComponent(options.targetName));
  const kept = readIfThere(path);
  if (kept.ok && kept.value !== undefined && checkTargetFile(nodeCrypto, file, kept.value).ok) return ok(undefined);
  const name = targetFileName(repository.value, found.value);
  const fetched = await httpFetch(options.targetBaseUrl)(name, file.length, signal);
  if (!fetched.ok) return fetched;
  const checked = checkTargetFile(nodeCrypto, file, fetched.value);
  return checked.ok ? writeAtomically(path, checked.value) : checked;
};

/** The suite knows two exit codes: 0 for done, 1 for refused. */
const finish = (result: Result<unknown>): void => {
  if (result.ok) return;
  process.exitCode = 1;
  process.stderr.write(`${codeOf(result.fault)} ${result.fault.detail ?? ''}\n`);
};

const program = new Command('conformance')
  .requiredOption('--metadata-dir <directory>')
  .option('--metadata-url <url>', 'where the metadata is', '')
  .option('--target-name <path>', 'path of the target', '')
  .option('--target-base-url <url>', 'where the targets are', '')
  .option('--target-dir <directory>', 'where to put them', '');
program
  .command('init <root>')
  .action((root: string) => copyFileSync(root, join(program.opts<Options>().metadataDir, 'root.json')));
program.command('refresh').action(async () => finish(await refreshed(program.opts<Options>())));
program.command('download').action(async () => finish(await download(program.opts<Options>())));
await program.parseAsync();
