/** What is kept of an image between its draft and its signatures: `statement`, 140 bytes, and `manifest`, which holds them unsigned. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import type { ReleaseRecord } from '#ota-client/repository/release-record';
import { readStatement } from '#ota-client/slots/statement';
import { releaseOf } from '#ota-client/trust/release';

export interface KeptDraft {
  /** The payload that the custodians sign. */
  readonly statement: Uint8Array;
  /** An encoded `ReleaseManifest` with that payload where the signed envelope belongs. */
  readonly manifest: Uint8Array;
}

const placeOf = (folder: string, id: string): string => join(folder, 'drafts', id);

export const keepDraft = (folder: string, id: string, { statement, manifest }: KeptDraft): Result<void> => {
  const place = placeOf(folder, id);
  mkdirSync(place, { recursive: true });
  const stored = writeAtomically(join(place, 'statement'), statement, 0o644);
  return stored.ok ? writeAtomically(join(place, 'manifest'), manifest, 0o644) : stored;
};

/** @returns what is kept, or `unavailable/not-found` */
export const keptDraft = (folder: string, id: string): Result<KeptDraft> => {
  const statement = readIfThere(join(placeOf(folder, id), 'statement'));
  if (!statement.ok) return statement;
  const manifest = readIfThere(join(placeOf(folder, id), 'manifest'));
  if (!manifest.ok) return manifest;
  if (statement.value === undefined || manifest.value === undefined) return deny('unavailable', 'not-found', id);
  return ok({ statement: statement.value, manifest: manifest.value });
};

/** The one hardware class of an image: its statement has the digest of its name. */
export const hardwareOf = ({ custom }: Pick<ReleaseRecord, 'custom'>): Result<string> => {
  const said = releaseOf({ length: 0, hashes: new Map(), custom });
  if (!said.ok) return said;
  const [hardware] = said.value.hw ?? [];
  return hardware === undefined ? deny('policy', 'hardware-mismatch', 'an image names its hardware') : ok(hardware);
};

/** @returns the root of the hash tree, by which a verifier knows the image; or a fault of `keptDraft` */
export const draftVerityRoot = (
  crypto: CryptoBackend,
  folder: string,
  release: Pick<ReleaseRecord, 'id' | 'custom'>,
): Result<Uint8Array> => {
  const kept = keptDraft(folder, release.id);
  if (!kept.ok) return kept;
  const hardware = hardwareOf(release);
  if (!hardware.ok) return hardware;
  const said = readStatement(crypto, kept.value.statement, hardware.value);
  return said.ok ? ok(said.value.release.verityRoot) : said;
};
