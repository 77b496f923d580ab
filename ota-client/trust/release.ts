/** What our publisher signs beside a target's length and hashes (`custom`, TUF 1.0 §4.5), and what each class must obey. */
import { type Decoded, integer, list, optional, text } from '#hal/core/config';
import { deny, done, type Result } from '#hal/core/result';
import { decodeFields, fields } from './fields.ts';
import type { TargetFile } from './metadata.ts';

/** Each class is one delegated role with keys of its own (SR-03, SR-09); its targets are `class/name`. */
export const bundleClasses = ['os', 'policy', 'configuration', 'apps', 'models', 'firmware-key', 'repair', 'grants'] as const;
export type BundleClass = (typeof bundleClasses)[number];

/** SR-08: floor epochs of one TPM index. */
const maxFloorEpoch = 64;

export const hardwareId = text(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'a hardware class');

const releaseFields = fields({
  /** Rises with each release of one class; old code comes again under a new number (SR-08). */
  releaseCounter: integer(1, Number.MAX_SAFE_INTEGER),
  /** Not the release counter: a small number that rises when older releases must no longer start. */
  floorEpoch: optional(integer(0, maxFloorEpoch)),
  /** The hardware classes that it is for; all, where there is none. */
  hw: optional(list(hardwareId, 64)),
  /** Director only: SHA-256 of the nonce that this answer is for, in hexadecimal. */
  nonceHash: optional(text(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal')),
});
export type Release = Decoded<typeof releaseFields>;

/** @returns what is signed of the release, or `protocol/field-invalid`; other fields of `custom` belong to `payload` */
export const releaseOf = ({ custom }: TargetFile): Result<Release> => decodeFields(releaseFields, custom ?? {}, 'custom');

/** What this device is and has, of one class. */
export interface Installed {
  readonly hardwareId: string;
  /** 0 where nothing of this class is installed. */
  readonly releaseCounter: number;
  /** SR-08; 0 for classes that have no floor. */
  readonly floorEpoch: number;
}

/**
 * The rules that no signature suspends: for this hardware, newer than what is installed, not below the floor.
 * @returns nothing, or `policy/hardware-mismatch`, `integrity/below-floor`, `integrity/release-rollback`, `policy/release-current`
 */
export const checkInstallable = (release: Release, installed: Installed): Result<void> => {
  if (release.hw !== undefined && !release.hw.includes(installed.hardwareId)) return deny('policy', 'hardware-mismatch');
  if ((release.floorEpoch ?? 0) < installed.floorEpoch)
    return deny('integrity', 'below-floor', `${release.floorEpoch ?? 0} below ${installed.floorEpoch}`);
  if (release.releaseCounter < installed.releaseCounter)
    return deny('integrity', 'release-rollback', `${release.releaseCounter} after ${installed.releaseCounter}`);
  return release.releaseCounter === installed.releaseCounter ? deny('policy', 'release-current') : done;
};
