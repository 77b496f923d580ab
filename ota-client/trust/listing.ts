/** All targets of one class, as its own role names them: what a device draws its rollout buckets for (SR-21). */
import { deny, ok, type Result } from '#hal/core/result';
import type { TargetFile } from './metadata.ts';
import type { Repository } from './refresh.ts';
import type { BundleClass } from './release.ts';
import { roleTargets } from './targets.ts';

/**
 * Names are verified here; whether one of them may be installed is decided by `findBundle` and `checkInstallable`.
 * @returns files by path; or `policy/target-missing` where nobody speaks for the class, and the faults of loading its role
 */
export const classTargets = async (
  { targets, session, root, snapshot }: Repository,
  name: BundleClass,
): Promise<Result<ReadonlyMap<string, TargetFile>>> => {
  const role = targets.delegations?.roles.find((candidate) => candidate.name === name);
  if (role === undefined) return deny('policy', 'target-missing', name);
  const keys = targets.delegations?.keys ?? new Map();
  const loaded = await roleTargets(session, root, snapshot, { role: name, roleKeys: role, keys });
  return loaded.ok ? ok(loaded.value.targets) : loaded;
};
