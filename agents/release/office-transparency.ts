/**
 * The log of releases that an office keeps beside its repository. `log.json` in its folder says under which name, with
 * which key, and which witnesses are asked; without it nothing is entered in any log.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '#hal/core/bytes';
import { base64, decodeJson, integer, list, object, text } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type HybridSecretKey, hybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import type { StaticFiles } from '#ota-client/repository/files';
import type { DeskLog } from '#ota-client/repository/log-entries';
import { recordEntries } from '#ota-client/transparency/log';
import { hybridKeyFields, keyName, type LogTrust, logTrustOf } from '#ota-client/transparency/log-trust';
import { askWitness } from './witness-link.ts';

const logFile = object({
  origin: keyName,
  /** Of the keeper: a file with two seeds of 32 bytes. */
  key: text(/^.{1,1024}$/su, 'a path'),
  threshold: integer(2, 6),
  witnesses: list(
    object({
      ...{ name: keyName, ...hybridKeyFields },
      url: text(/^https:\/\/[^\s]{1,240}[^\s/]$/, 'a URL without a slash at its end'),
      authority: text(/^-----BEGIN CERTIFICATE-----[\s\S]{1,8192}$/, 'a certificate as PEM'),
    }),
    6,
  ),
});

const keeperFile = object({ classical: base64(32), postQuantum: base64(32) });

/** The desk's part of it, and what devices are told. */
export interface OfficeLog {
  readonly transparency: DeskLog;
  readonly trust: LogTrust;
}

/**
 * What was left out of the log is written down in the folder `unlogged`, by release.
 * @returns undefined without `log.json`; or `protocol/config-invalid`, `protocol/file-unreadable`
 */
export const officeLog = (crypto: CryptoBackend, folder: string, files: StaticFiles): Result<OfficeLog | undefined> => {
  const bytes = readIfThere(join(folder, 'log.json'));
  if (!bytes.ok || bytes.value === undefined) return bytes.ok ? ok(undefined) : bytes;
  const said = decodeJson(Buffer.from(bytes.value).toString('utf8'), logFile);
  if (!said.ok) return said;
  const { origin, key, threshold, witnesses } = said.value;
  const keeper = readKeeper(key);
  if (!keeper.ok) return keeper;
  const secret = keeper.value;
  const { classical, postQuantum } = hybridPublicKey(crypto, secret);
  const named = witnesses.map(({ name, ...keys }) => ({ name, classical: keys.classical, postQuantum: keys.postQuantum }));
  const trust = logTrustOf({ policy: 'require', origin, classical, postQuantum, threshold, witnesses: named });
  if (!trust.ok) return trust;
  const asked = trust.value.witnesses.map((witness, at) => {
    const endpoint = witnesses[at];
    return { ...witness, ask: endpoint === undefined ? async () => deny('unavailable', 'not-found') : askWitness(endpoint) };
  });
  const log = { crypto, files, origin, secret, threshold, witnesses: asked };
  return ok({
    trust: trust.value,
    transparency: {
      record: (fresh, live) => recordEntries(log, fresh, live),
      leftOut({ id }, code) {
        mkdirSync(join(folder, 'unlogged'), { recursive: true });
        writeAtomically(join(folder, 'unlogged', id), utf8(`${code}\n`), 0o644);
      },
    },
  });
};

const readKeeper = (path: string): Result<HybridSecretKey> => {
  const bytes = readIfThere(path);
  if (!bytes.ok || bytes.value === undefined) return deny('protocol', 'file-unreadable', path);
  const seeds = decodeJson(Buffer.from(bytes.value).toString('utf8'), keeperFile);
  return seeds.ok ? ok({ suite: hybridSignatureSuites['enigm-ed25519-mldsa65'], ...seeds.value }) : seeds;
};
