/**
 * Of which release the root file system is that runs.
 *
 * A release is one image under one hash tree: boot partition, root file system and the root's own hash tree. The kernel
 * opens the root under that inner tree, whose root is in the signed command line; the outer one is in no command line,
 * since it covers it. So the block at the top of the inner tree, proved against the root of the release, says whether
 * what runs is of that release.
 */
import { equalBytes } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import type { OpenedRoot } from '#hal/linux/machine-boot';
import type { RunningSlot } from '#hal/ports/boot-control';
import type { SlotDevice, Slots } from '#hal/ports/slots';
import { blockBytes } from '#ota-client/payload/limits';
import { saltedHash, saltOf } from '#ota-client/payload/verity';
import { readProved } from '#ota-client/payload/verity-path';
import type { LedgerStore, ReleaseFacts } from '#ota-client/slots/ledger';

export interface RunningReleaseParts {
  readonly slots: Slots;
  readonly ledger: Pick<LedgerStore, 'read'>;
  /** Where the root file system begins in a slot, in bytes. */
  readonly rootOffsetBytes: number;
}

/**
 * @returns the slot with the root hash of its release; with that of its root file system where that is of no release that
 * the ledger has, so that it can be committed as none; or a fault of the media
 */
export const runningRelease = async (
  { slots, ledger, rootOffsetBytes }: RunningReleaseParts,
  { slot, verityRoot, blocks }: OpenedRoot,
): Promise<Result<RunningSlot>> => {
  const kept = await ledger.read();
  if (!kept.ok) return kept;
  const { release } = kept.value[slot];
  if (release === undefined) return ok({ slot, verityRoot });
  const device = await slots.open(slot, 'read');
  if (!device.ok) return device;
  try {
    const inner = await rootOfTree(device.value, release, rootOffsetBytes / blockBytes + blocks);
    if (!inner.ok) return inner.fault.category === 'integrity' ? ok({ slot, verityRoot }) : inner;
    return ok({ slot, verityRoot: equalBytes(inner.value, verityRoot) ? release.verityRoot : verityRoot });
  } finally {
    await device.value.close();
  }
};

/** @param block where the superblock of the inner tree lies; the block at the top of the tree is behind it */
const rootOfTree = async (
  device: SlotDevice,
  { imageBytes, verityRoot }: ReleaseFacts,
  block: number,
): Promise<Result<Uint8Array>> => {
  const superblock = await readProved(device, imageBytes, verityRoot, block);
  if (!superblock.ok) return superblock;
  const top = await readProved(device, imageBytes, verityRoot, block + 1);
  return top.ok ? ok(saltedHash(saltOf(superblock.value))(top.value, 0)) : top;
};
