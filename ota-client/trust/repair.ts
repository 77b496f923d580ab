/**
 * Repair is always possible (SR-12): one release for each hardware class, signed offline under a delegation of its own,
 * installed with a failed, stale or absent appraisal and without a director. It holds no secrets; those come back only
 * after an affirming result. Everything else holds: the custodian rule, hardware, counter and floor.
 */
import { deny, ok, type Result } from '#hal/core/result';
import { type Bundle, findBundle } from './bundle.ts';
import type { Repository } from './refresh.ts';
import { checkInstallable, type Installed } from './release.ts';

/** There is one at a time, so a device without a listing finds it by its own name. */
export const repairPath = (hardware: string): string => `repair/${hardware}`;

/**
 * @param repository from `refreshForRepair`, or from an ordinary refresh of the image repository
 * @returns the repair release of this hardware class; or the faults of `findBundle` and of `checkInstallable`
 */
export const repairTarget = async (repository: Repository, device: Installed): Promise<Result<Bundle>> => {
  const bundle = await findBundle(repository, 'repair', repairPath(device.hardwareId));
  if (!bundle.ok) return bundle;
  const { release } = bundle.value;
  if (release.hw === undefined) return deny('policy', 'hardware-mismatch', 'a repair release names its hardware');
  const installable = checkInstallable(release, device);
  return installable.ok ? ok(bundle.value) : installable;
};
