/**
 * The Uptane rule (Uptane Standard 2.1.0, "Full verification"; it asks to be cited by section names): install only what both repositories name. The
 * image repository, signed offline, says what exists; the director, online, says what this device is to take now. The
 * director can narrow what the image repository offers and nothing else.
 */
import { equalBytes, fromHex } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type Bundle, findBundle } from './bundle.ts';
import { equalHashes } from './content.ts';
import type { TargetFile } from './metadata.ts';
import type { Repository } from './refresh.ts';
import { checkInstallable, type Installed, type Release, releaseOf } from './release.ts';
import { firstFault } from './session.ts';

/** The director answers one question of one device; the answer is not for keeping. */
export const maxDirectorLifetimeMs = 60 * 60_000;

/** What a director says, once it is verified: a repository of its own, or the word of a technician in its place. */
export interface DirectorWord {
  readonly targets: Repository['targets'];
  readonly session: Pick<Repository['session'], 'startMs'>;
}

export interface Asking extends Installed {
  /** What the answer is bound to: the nonce of the appraisal that the director was shown, or the grant of a technician. */
  readonly nonce: Uint8Array;
}

export interface DirectedTarget {
  readonly path: string;
  readonly file: TargetFile;
  readonly release: Release;
}

/**
 * What the director names for this device now: one target of the OS, or none when there is nothing to do.
 * @returns undefined for nothing; or `integrity/director-delegates`, `director-lifetime`, `director-nonce`, `director-mismatch`
 */
export const directedTarget = (
  crypto: CryptoBackend,
  director: DirectorWord,
  nonce: Uint8Array,
  maxLifetimeMs = maxDirectorLifetimeMs,
): Result<DirectedTarget | undefined> => {
  const { targets, session } = director;
  if (targets.delegations !== undefined) return deny('integrity', 'director-delegates');
  if (targets.expires - session.startMs > maxLifetimeMs) return deny('integrity', 'director-lifetime');
  if (targets.targets.size > 1) return deny('integrity', 'director-mismatch', 'more than one target');
  for (const [path, file] of targets.targets) {
    const release = releaseOf(file);
    if (!release.ok) return release;
    const nonceHash = fromHex(release.value.nonceHash ?? '') ?? new Uint8Array();
    if (!equalBytes(nonceHash, crypto.hash('sha256', nonce))) return deny('integrity', 'director-nonce');
    return ok({ path, file, release: release.value });
  }
  return ok(undefined);
};

/**
 * The release that this device is to install, named by both repositories.
 * @returns undefined when the director names none; or the faults of `directedTarget`, `findBundle`, `checkInstallable`,
 * and `integrity/director-mismatch`
 */
export const eligibleTarget = async (
  crypto: CryptoBackend,
  director: DirectorWord,
  image: Repository,
  device: Asking,
  maxLifetimeMs = maxDirectorLifetimeMs,
): Promise<Result<Bundle | undefined>> => {
  const directed = directedTarget(crypto, director, device.nonce, maxLifetimeMs);
  if (!directed.ok) return directed;
  if (directed.value === undefined) return ok(undefined);
  const named = await findBundle(image, 'os', directed.value.path);
  if (!named.ok)
    return named.fault.reason === 'target-missing'
      ? deny('integrity', 'director-mismatch', 'not in the image repository')
      : named;
  const checked = firstFault(
    () => checkAgreement(directed.value, named.value),
    () => checkInstallable(named.value.release, device),
  );
  return checked.ok ? ok(named.value) : checked;
};

/** Length, all hashes, hardware and release counter are equal, or nothing is installed and both are reported. */
const checkAgreement = (directed: DirectedTarget | undefined, { target, release }: Bundle): Result<void> => {
  if (directed === undefined) return done;
  const isEqual = {
    length: directed.file.length === target.file.length,
    hashes: equalHashes(directed.file.hashes, target.file.hashes),
    hardware: JSON.stringify(directed.release.hw) === JSON.stringify(release.hw),
    'release counter': directed.release.releaseCounter === release.releaseCounter,
    'floor epoch': directed.release.floorEpoch === release.floorEpoch,
  };
  const [differing] = Object.entries(isEqual).filter(([, equal]) => !equal);
  return differing === undefined ? done : deny('integrity', 'director-mismatch', differing[0]);
};
