/**
 * The slots of a simulated machine, as files, and its boot manager: which slot starts, and that nothing starts which is
 * not the image it should be.
 *
 * The ledger stands in for a boot entry, whose signed command line carries the root hash on a real machine. What is
 * measured is computed from the bytes of the image, so a ledger that lies leads to a boot that no release names.
 */
import { type BootRecordStore, bootRecordStore } from '#hal/core/boot-record';
import { equalBytes } from '#hal/core/bytes';
import { deny, type Failure, ok, type Result } from '#hal/core/result';
import { linuxBlockDevice, linuxSlots } from '#hal/linux/block-device';
import { chooseSlot } from '#hal/memory/boot-loader';
import type { BlockDevice } from '#hal/ports/block-device';
import { maxTries, type RunningSlot } from '#hal/ports/boot-control';
import { type SlotName, type Slots, slotNames } from '#hal/ports/slots';
import { blockBytes, isImageSize, segmentBytes, segmentCount, segmentLength } from '#ota-client/payload/limits';
import { checkHashArea, saltOf, verityTree } from '#ota-client/payload/verity';
import { type LedgerStore, ledgerStore } from '#ota-client/slots/ledger';
import type { SlotFiles } from './layout.ts';

export interface MachineSlots {
  readonly slots: Slots;
  readonly boot: BootRecordStore;
  readonly ledger: LedgerStore;
  close(): Promise<void>;
}

/** @returns the slots of a machine that was made, or `unavailable/storage-failed` */
export const openSlots = async (files: SlotFiles): Promise<Result<MachineSlots>> => {
  const boot = await linuxBlockDevice(files.boot, 'write');
  if (!boot.ok) return boot;
  const ledger = await linuxBlockDevice(files.ledger, 'write');
  if (!ledger.ok) {
    await boot.value.close();
    return ledger;
  }
  return ok({
    slots: linuxSlots(files),
    boot: bootRecordStore(boot.value),
    ledger: ledgerStore(ledger.value),
    close: async () => {
      await boot.value.close();
      await ledger.value.close();
    },
  });
};

/**
 * What happens between power and the kernel, resets included: a trial that is not its image spends a try and is tried
 * again, as a machine does that panics over it; a good slot that is not its image is passed over.
 * @param onRefused told once of each slot that does not start, and why
 * @returns the slot that starts and the root hash of what is in it; or `unavailable/storage-failed`: the machine is dead
 */
export const startSlot = async (
  { slots, boot, ledger }: Omit<MachineSlots, 'close'>,
  onRefused: (slot: SlotName, failure: Failure) => void = () => undefined,
): Promise<Result<RunningSlot>> => {
  const opened = new Map<SlotName, Result<Uint8Array>>();
  const open = async (slot: SlotName): Promise<Result<Uint8Array>> => {
    const root = opened.get(slot) ?? (await openImage(slots, ledger, slot));
    if (!opened.has(slot) && !root.ok) onRefused(slot, root);
    opened.set(slot, root);
    return root;
  };
  const attempts = slotNames.length * (maxTries + 1);
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const chosen = await chooseSlot(boot, (slot) => opened.get(slot)?.ok !== false);
    if (!chosen.ok) return chosen;
    const root = await open(chosen.value);
    if (root.ok) return ok({ slot: chosen.value, verityRoot: root.value });
  }
  return deny('unavailable', 'storage-failed', 'no slot starts');
};

/**
 * All of the slot, at once, where dm-verity would look at each block as it is read.
 * @returns the root hash, `integrity/boot-unverified`, or a fault of the medium
 */
const openImage = async (slots: Slots, ledger: LedgerStore, slot: SlotName): Promise<Result<Uint8Array>> => {
  const kept = await ledger.read();
  if (!kept.ok) return kept;
  const { content, release } = kept.value[slot];
  if (content !== 'verified' || release === undefined || !isImageSize(release.imageBytes))
    return deny('integrity', 'boot-unverified', `slot ${slot} holds no release`);
  const device = await slots.open(slot, 'read');
  if (!device.ok) return device;
  try {
    const { imageBytes, verityRoot } = release;
    const superblock = await device.value.read(imageBytes, blockBytes);
    if (!superblock.ok) return superblock;
    const parameters = { imageBytes, salt: saltOf(superblock.value), uuid: superblock.value.slice(16, 32) };
    const root = await rootOf(device.value, parameters);
    if (!root.ok) return root;
    if (!equalBytes(root.value, verityRoot))
      return deny('integrity', 'boot-unverified', `slot ${slot}: the image is another one`);
    const checked = await checkHashArea(device.value, parameters, verityRoot);
    return checked.ok ? root : checked;
  } finally {
    await device.value.close();
  }
};

const rootOf = async (device: BlockDevice, parameters: Parameters<typeof verityTree>[0]): Promise<Result<Uint8Array>> => {
  const tree = verityTree(parameters);
  for (let segment = 0; segment < segmentCount(parameters.imageBytes); segment += 1) {
    const read = await device.read(segment * segmentBytes, segmentLength(parameters.imageBytes, segment));
    if (!read.ok) return read;
    tree.update(read.value);
  }
  return ok(tree.finish().root);
};
