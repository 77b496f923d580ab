/** A release as it was published: the manifest that the repository names, and the statement in it that the custodians signed. */
import type { ReadRange } from '#agents/mind/far-ends';
import { readWhole } from '#agents/policy/source';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { openStatement, type ReleasePolicy, type ReleaseStatement } from '#ota-client/slots/statement';
import type { Bundle } from '#ota-client/trust/bundle';
import type { Repository } from '#ota-client/trust/refresh';
import type { Installed } from '#ota-client/trust/release';
import { repairTarget } from '#ota-client/trust/repair';
import { checkTargetFile, targetFileName } from '#ota-client/trust/target-file';
import { type ManifestContent, readManifest, releaseIdOf } from './manifest.ts';

/** A release that was verified all the way: by the repository, by the director, and by its own statement. */
export interface Offer {
  /** What the release is called; empty for a repair. */
  readonly id: string;
  readonly statement: ReleaseStatement;
  readonly manifest: ManifestContent;
}

export interface OfferSource {
  readonly crypto: CryptoBackend;
  readonly read: ReadRange;
  /** Whose statement counts (SR-03). */
  readonly policy: ReleasePolicy;
}

const maxManifestBytes = 128 * 1024;

/**
 * @param bundle that may be installed
 * @returns the offer; or `protocol/too-large`, `integrity/target-mismatch` also where statement and metadata name
 *   different numbers, and the faults of `readManifest`, of `openStatement` and of the fetch
 */
export const offerOf = async (
  { crypto, read, policy }: OfferSource,
  repository: Repository,
  { target, release }: Bundle,
  signal: AbortSignal,
): Promise<Result<Offer>> => {
  if (target.file.length > maxManifestBytes) return deny('protocol', 'too-large', 'release manifest');
  const path = `targets/${targetFileName(repository, target)}`;
  const fetched = await readWhole(read, path, target.file.length, signal);
  if (!fetched.ok) return fetched;
  const checked = checkTargetFile(crypto, target.file, fetched.value);
  if (!checked.ok) return checked;
  const manifest = readManifest(checked.value);
  if (!manifest.ok) return manifest;
  const statement = openStatement(policy, manifest.value.statement);
  if (!statement.ok) return statement;
  // The numbers that were judged and those that are written are the same.
  const { counter, floorEpoch } = statement.value.release;
  if (counter !== release.releaseCounter || floorEpoch !== (release.floorEpoch ?? 0))
    return deny('integrity', 'target-mismatch', 'numbers of the release statement');
  return ok({ id: releaseIdOf(target.path) ?? '', statement: statement.value, manifest: manifest.value });
};

/**
 * SR-12: needs no verifier, no director and no clock.
 * @param repository from `refreshForRepair`
 * @returns the repair release of this hardware class; or the faults of `repairTarget` and of `offerOf`
 */
export const repairOffer = async (
  source: OfferSource,
  repository: Repository,
  installed: Installed,
  signal: AbortSignal,
): Promise<Result<Offer>> => {
  const bundle = await repairTarget(repository, installed);
  return bundle.ok ? offerOf(source, repository, bundle.value, signal) : bundle;
};
