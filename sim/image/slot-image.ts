/** What a release of a machine is: one image of boot partition and root partition, as `hal/linux/machine-slots.ts` has them. */
import { concat } from '#hal/core/bytes';
import { headBytes } from '#hal/linux/machine-slots';
import type { BuiltImage } from './build.ts';
import { partitionNamed } from './disk.ts';
import { sectorBytes } from './gpt.ts';

/** Of each slot. */
export const bootPartitionBytes = partitionNamed('esp-a').sectors * sectorBytes;

/** The boot partition without its head, its head, then the root file system with its own hash tree. */
export const slotImage = ({ boot, root }: Pick<BuiltImage, 'boot' | 'root'>): Uint8Array => {
  const partition = new Uint8Array(bootPartitionBytes);
  partition.set(boot);
  return concat(partition.subarray(headBytes), partition.subarray(0, headBytes), root);
};
