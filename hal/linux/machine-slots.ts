/**
 * The slots of a machine: of each a partition with its boot image and one with its root file system, as one device.
 *
 * The first MiB of the boot partition has the head of its file system, without which firmware finds no image there. It lies
 * behind the rest of that partition, so that an image that is written in order is not startable before it is whole.
 */
import { ok } from '#hal/core/result';
import type { SlotDevice, SlotName, Slots } from '#hal/ports/slots';
import { linuxBlockDevice } from './block-device.ts';
import { joinedDevice, type Piece } from './joined-device.ts';

export interface SlotPartitions {
  /** Paths of device nodes. */
  readonly boot: string;
  readonly root: string;
}

/** Of a boot partition. */
export const headBytes = 1024 * 1024;

export const machineSlots = (partitions: Readonly<Record<SlotName, SlotPartitions>>): Slots => ({
  async open(slot, access) {
    const boot = await linuxBlockDevice(partitions[slot].boot, access);
    if (!boot.ok) return boot;
    const root = await linuxBlockDevice(partitions[slot].root, access);
    if (root.ok) return ok(joinedDevice(slotPieces(boot.value, root.value)));
    await boot.value.close();
    return root;
  },
});

/** Where what lies: boot partition without its head, its head, root. */
const slotPieces = (boot: SlotDevice, root: SlotDevice): readonly Piece[] => [
  { device: boot, offsetBytes: headBytes, lengthBytes: boot.sizeBytes - headBytes },
  { device: boot, offsetBytes: 0, lengthBytes: headBytes },
  { device: root, offsetBytes: 0, lengthBytes: root.sizeBytes },
];
