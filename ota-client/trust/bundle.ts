/**
 * Targets by class: `policy/lockdown` counts only when the role `policy` signed it, delegated straight from the
 * top-level targets and with keys that no other class has. A signature by another class's key is worth nothing (SR-03).
 */
import { toHex } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { Targets } from './metadata.ts';
import type { Repository } from './refresh.ts';
import { type BundleClass, bundleClasses, checkInstallable, type Installed, type Release, releaseOf } from './release.ts';
import { type FoundTarget, findTarget } from './search.ts';

export interface Bundle {
  readonly target: FoundTarget;
  readonly release: Release;
}

/**
 * @param path `class/name`
 * @returns the bundle of that class; or `integrity/role-mismatch`, `integrity/hybrid-rule` where two classes share a key,
 * and the faults of `findTarget`
 */
export const findBundle = async (repository: Repository, bundleClass: BundleClass, path: string): Promise<Result<Bundle>> => {
  if (!path.startsWith(`${bundleClass}/`)) return deny('integrity', 'role-mismatch', `${path} is not of ${bundleClass}`);
  const separated = checkSeparation(repository.targets);
  if (!separated.ok) return separated;
  const found = await findTarget(repository, path);
  if (!found.ok) return found;
  const { roles, file } = found.value;
  if (roles.length !== 2 || roles[1] !== bundleClass)
    return deny('integrity', 'role-mismatch', `${path} by ${roles.join(' → ')}`);
  const release = releaseOf(file);
  return release.ok ? ok({ target: found.value, release: release.value }) : release;
};

/** @returns a bundle that this device may apply; or the faults of `findBundle` and of `checkInstallable` */
export const eligibleBundle = async (
  repository: Repository,
  bundleClass: Exclude<BundleClass, 'os' | 'repair'>,
  path: string,
  installed: Installed,
): Promise<Result<Bundle>> => {
  const bundle = await findBundle(repository, bundleClass, path);
  if (!bundle.ok) return bundle;
  const installable = checkInstallable(bundle.value.release, installed);
  return installable.ok ? bundle : installable;
};

const isClass = (name: string): name is BundleClass => (bundleClasses as readonly string[]).includes(name);

/** Separation of trust domains: compared by the public keys themselves, since one key may have two ids. */
const checkSeparation = ({ delegations }: Targets): Result<void> => {
  const owners = new Map<string, string>();
  for (const { name, keyids } of delegations?.roles ?? []) {
    if (!isClass(name)) continue;
    for (const id of keyids) {
      const key = delegations?.keys.get(id);
      if (key === undefined || typeof key === 'string') continue;
      const publicKey = toHex(key.publicKey);
      if ((owners.get(publicKey) ?? name) !== name)
        return deny('integrity', 'hybrid-rule', `${name} and ${owners.get(publicKey)}`);
      owners.set(publicKey, name);
    }
  }
  return done;
};
