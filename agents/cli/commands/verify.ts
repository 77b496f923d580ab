/** enigmctl verify: a release, a manifest or an image, by keys that you give. Needs no device; for anybody. */
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { parseReleaseTrust, policiesOf, type ReleaseTrust } from '#agents/hands/release-trust';
import { folderFiles } from '#agents/release/folder-files';
import { withImages } from '#agents/release/image-files';
import { openForHardware, verifyImage, verifyRepository } from '#agents/release/verify';
import { verifyLog } from '#agents/release/verify-log';
import { readManifest } from '#agents/update/manifest';
import { toHex } from '#hal/core/bytes';
import { deny, type Fault, ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import type { ReleaseStatement } from '#ota-client/slots/statement';
import { checkProof, type ProvedEntry } from '#ota-client/transparency/check';
import { textOfInstant } from '#ota-client/trust/time';
import type { Console } from '../console.ts';
import type { Run } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { readGiven } from '../given-file.ts';

const trustOption = [
  '--trust <file>',
  'releases.json of an image: the custodians whose releases its hands write, and its log',
] as const;

interface TrustOptions {
  readonly trust: string;
  readonly proof?: string;
}

export const verifyCommands = (program: Command, run: Run): void => {
  const verify = program
    .command('verify')
    .description('verify what was published, by keys that you have from elsewhere; needs no device');

  verify
    .command('release')
    .argument('<folder>', 'a repository: metadata, targets and log as they are served')
    .requiredOption('--root <file>', 'root metadata that you trust: 1.root.json, as it lies in the image of a device')
    .option('--trust <file>', 'releases.json of an image: the log that its hands follow')
    .description('verify all releases of a repository from a root: metadata, statements, pinned files, log')
    .action(
      run(async ({ console }, folder: string, { root, trust }: { readonly root: string; readonly trust?: string }) =>
        told(console, await releaseReport(folder, root, trust)),
      ),
    );

  verify
    .command('manifest')
    .argument('<file>', 'a manifest: the file of a target os/… or repair/…')
    .requiredOption(...trustOption)
    .option('--proof <file>', 'that the statement is in the log: a .tlog-proof')
    .description('verify the signed statement in a manifest, and its proof')
    .action(run(({ console }, file: string, options: TrustOptions) => told(console, manifestReport(file, options))));

  verify
    .command('artifact')
    .argument('<file>', 'an image: what a slot holds')
    .requiredOption('--against <manifest>', 'the manifest that names it')
    .requiredOption(...trustOption)
    .option('--proof <file>', 'that the statement is in the log: a .tlog-proof')
    .description('verify that an image is, block by block, the one that a manifest names')
    .action(
      run(async ({ console }, file: string, { against, ...options }: TrustOptions & { readonly against: string }) => {
        const manifest = manifestReport(against, options);
        if (!manifest.ok) return told(console, manifest);
        const same = await withImages([file], ([image]) => verifyImage(image, manifest.value.statement));
        if (!same.ok) return told(console, same);
        const verified = [...manifest.value.verified, 'image: its hash tree has the root that the statement names'];
        return told(console, ok({ ...manifest.value, verified, unverified: ['what the image does'] }));
      }),
    );
};

/** What is said at the end: both lists, and the facts for programs. */
interface Report {
  readonly verified: readonly string[];
  /** What was not looked at, since nobody could or nobody gave the keys. */
  readonly unverified: readonly string[];
  readonly facts: object;
}

const told = (console: Console, report: Result<Report>): number => {
  if (!report.ok) return refused(console, report.fault);
  const { verified, unverified, facts } = report.value;
  const lines = [...verified.map((line) => `verified      ${line}`), ...unverified.map((line) => `not verified  ${line}`)];
  console.print(lines.join('\n'), { isVerified: true, verified, unverified, ...facts });
  return exitCodes.done;
};

/** Whatever the reason: it was not verified. */
const refused = (console: Console, fault: Fault): number => {
  console.refuse(fault);
  return exitCodes.unverified;
};

const releaseReport = async (folder: string, rootFile: string, trustFile: string | undefined): Promise<Result<Report>> => {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    return deny('protocol', 'file-unreadable', `${folder} is no folder; one manifest: \`enigmctl verify manifest\``);
  const root = readGiven(rootFile);
  if (!root.ok) return root;
  const trust = trustFile === undefined ? ok(undefined) : readTrust(trustFile);
  if (!trust.ok) return trust;
  const log = trust.value?.log;
  const source = { files: folderFiles(folder), root: root.value, log, nowMs: linuxClock().nowMs() };
  const repository = await verifyRepository(source, new AbortController().signal);
  if (!repository.ok) return repository;
  const { rootVersion, expiresMs, releases } = repository.value;
  const watched = log === undefined ? ok(undefined) : await verifyLog(source.files, log, repository.value);
  if (!watched.ok) return watched;
  const lines = releases.flatMap(({ path, custodians, threshold, hardware, statement, files, log: proved }) => [
    `${path}: ${numbers(statement)} for ${hardware}; metadata and statement by ${threshold} of ${custodians.join(', ')}; ${files} pinned files`,
    ...(proved === undefined ? [] : [`${path}: ${logLine(proved)}`]),
  ]);
  return ok({
    verified: [
      `repository: from your root to version ${rootVersion} of it, and down; good until ${textOfInstant(expiresMs)}`,
      ...(lines.length === 0 ? ['no release is published'] : lines),
      ...(watched.value === undefined
        ? []
        : [`log of releases: all ${watched.value.size} entries lead to its signed checkpoint`]),
    ],
    unverified: [
      'pieces of payloads: `enigmctl verify artifact` holds a whole image against its release',
      ...(watched.value?.unaccounted ?? []).map((digest) => `who signed what the log has as ${digest}: no release here is that`),
      ...(watched.value?.unaccountedLists ?? []).map(
        (digest) => `who signed the list that the log has as ${digest}: no list here is that`,
      ),
      ...(watched.value?.unknownEntries ?? []).map((at) => `what entry ${at} of the log is: nobody here reads it`),
      ...(log === undefined ? ['the log of releases: no log was given by --trust'] : []),
    ],
    facts: {
      ...{ rootVersion, expires: textOfInstant(expiresMs) },
      ...(watched.value === undefined ? {} : { log: watched.value }),
      releases: releases.map(({ path, custodians, threshold, hardware, statement, files, log: proved }) => ({
        ...{ path, custodians, threshold, hardware, files, ...factsOf(statement) },
        ...(proved === undefined ? {} : { log: logFacts(proved) }),
      })),
    },
  });
};

const manifestReport = (file: string, options: TrustOptions): Result<Report & { readonly statement: ReleaseStatement }> => {
  const trust = readTrust(options.trust);
  if (!trust.ok) return trust;
  const bytes = readGiven(file);
  const manifest = bytes.ok ? readManifest(bytes.value) : bytes;
  if (!manifest.ok) return manifest;
  const opened = openForHardware(policiesOf(nodeCrypto, trust.value), manifest.value);
  if (!opened.ok) return opened;
  const { statement, hardware } = opened.value;
  const { log } = trust.value;
  const given = options.proof === undefined ? ok(undefined) : readGiven(options.proof);
  if (!given.ok) return given;
  if (given.value !== undefined && log === undefined)
    return deny('protocol', 'config-invalid', `${options.trust}: names no log, so no proof can be verified`);
  const entry = { kind: 'statement', digest: statement.release.digest } as const;
  const proved = log === undefined || given.value === undefined ? ok(undefined) : checkProof(nodeCrypto, log, entry, given.value);
  if (!proved.ok) return proved;
  return ok({
    statement,
    verified: [
      `statement: ${numbers(statement)} for ${hardware}, signed by custodians of ${options.trust}`,
      ...(proved.value === undefined ? [] : [`statement: ${logLine(proved.value)}`]),
    ],
    unverified: [
      ...(proved.value === undefined ? ['the log of releases: no proof was given'] : []),
      'that a repository names this manifest: `enigmctl verify release`',
    ],
    facts: { hardware, ...factsOf(statement), ...(proved.value === undefined ? {} : { log: logFacts(proved.value) }) },
  });
};

const readTrust = (file: string): Result<ReleaseTrust> => {
  const bytes = readGiven(file);
  return bytes.ok ? parseReleaseTrust(Buffer.from(bytes.value).toString('utf8')) : bytes;
};

const numbers = ({ release: { counter, floorEpoch } }: ReleaseStatement): string =>
  `release ${counter}, floor epoch ${floorEpoch}`;

const logLine = ({ index, size, witnesses }: ProvedEntry): string =>
  `entry ${index} of ${size} in the log of releases, seen by ${witnesses.map(({ name, cosignedMs }) => `${name} at ${textOfInstant(cosignedMs)}`).join(' and ')}`;

const logFacts = ({ index, size, root, witnesses }: ProvedEntry) => ({
  ...{ index, size, root: toHex(root) },
  witnesses: witnesses.map(({ name, cosignedMs }) => ({ name, cosigned: textOfInstant(cosignedMs) })),
});

const factsOf = ({ release: { counter, floorEpoch, imageBytes, verityRoot, digest } }: ReleaseStatement) => ({
  ...{ counter, floorEpoch, imageBytes, verityRoot: toHex(verityRoot), digest: toHex(digest) },
});
