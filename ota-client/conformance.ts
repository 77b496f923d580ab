#!/usr/bin/env node
/**
 * The client under test of the TUF conformance suite (github.com/theupdateframework/tuf-conformance, CLIENT-CLI.md).
 *
 * It follows plain TUF 1.0, without the custodian rule, and understands keys that no device does. It is never part of a
 * device (SR-09). `ota-client/conformance` runs the bundle of it that the build made.
 *
 * usage: ota-client/conformance --metadata-dir DIR [--metadata-url URL] [--target-name PATH … --target-base-url URL
 * --target-dir DIR] init ROOT | refresh | download
 */
import { copyFileSync } from 'node:fs';
import { Command } from 'commander';
import { codeOf, deny, done, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import { linuxClock } from '#hal/linux/clock';
import { folderStore, rootFile, targetFile } from '#ota-client/interoperability/folders';
import { httpFetch } from '#ota-client/interoperability/http';
import { allSchemes } from '#ota-client/interoperability/other-keys';
import { plainThreshold } from '#ota-client/interoperability/plain-threshold';
import { type Repository, refresh } from '#ota-client/trust/refresh';
import { findTarget } from '#ota-client/trust/search';
import { checkTargetFile, targetFileName } from '#ota-client/trust/target-file';

interface Options {
  readonly metadataDir: string;
  readonly metadataUrl: string;
  readonly targetName: readonly string[];
  readonly targetBaseUrl: string;
  readonly targetDir: string;
}

const signal = new AbortController().signal;

const refreshed = async ({ metadataDir, metadataUrl }: Options): Promise<Result<Repository>> => {
  const pinnedRoot = readIfThere(rootFile(metadataDir));
  if (!pinnedRoot.ok) return pinnedRoot;
  if (pinnedRoot.value === undefined) return deny('unavailable', 'not-found', 'no root: run init first');
  const parts = { crypto: nodeCrypto, rule: plainThreshold, schemes: allSchemes, pinnedRoot: pinnedRoot.value };
  const trust = { ...parts, fetch: httpFetch(metadataUrl), store: folderStore(metadataDir) };
  return refresh(trust, { nowMs: linuxClock().nowMs(), floorMs: 0 }, signal);
};

/** One refresh for all targets; the first that fails ends it. */
const download = async (options: Options): Promise<Result<void>> => {
  if (options.targetName.length === 0) return deny('protocol', 'field-invalid', 'no --target-name');
  const repository = await refreshed(options);
  if (!repository.ok) return repository;
  for (const path of options.targetName) {
    const downloaded = await downloadOne(options, repository.value, path);
    if (!downloaded.ok) return downloaded;
  }
  return done;
};

/** A file that is there already, and is the right one, is not fetched again. */
const downloadOne = async (options: Options, repository: Repository, targetPath: string): Promise<Result<void>> => {
  const found = await findTarget(repository, targetPath);
  if (!found.ok) return found;
  const { file } = found.value;
  const path = targetFile(options.targetDir, targetPath);
  const kept = readIfThere(path);
  if (kept.ok && kept.value !== undefined && checkTargetFile(nodeCrypto, file, kept.value).ok) return done;
  const fetched = await httpFetch(options.targetBaseUrl)(targetFileName(repository, found.value), file.length, signal);
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
  .requiredOption('--metadata-dir <directory>', 'where trusted metadata is kept')
  .option('--metadata-url <url>', 'where the metadata is', '')
  .option('--target-name <path>', 'path of a target; may be repeated', (path, paths: readonly string[]) => [...paths, path], [])
  .option('--target-base-url <url>', 'where the targets are', '')
  .option('--target-dir <directory>', 'where to put them', '');
program
  .command('init <root>')
  .description('trust this root; it is not judged before the first refresh')
  .action((root: string) => copyFileSync(root, rootFile(program.opts<Options>().metadataDir)));
program
  .command('refresh')
  .description('bring the top-level metadata up to date')
  .action(async () => finish(await refreshed(program.opts<Options>())));
program
  .command('download')
  .description('refresh, then fetch targets')
  .action(async () => finish(await download(program.opts<Options>())));
void program.parseAsync();
