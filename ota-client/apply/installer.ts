/**
 * The hands' side of an update: write the slot that does not run, keep the journal, read everything back.
 *
 * The order is data, flush, *then* journal, so the journal may lag behind the data and never leads it
 * (rows 3 to 6 of the fault table in docs/threat-model.md). What arrives here was verified by the mind; nothing here believes that: whole slot and hash
 * tree are read back from the medium, and arming compares their root with the signed one (`switch.ts`).
 */
import { concat, equalBytes } from '#hal/core/bytes';
import { inTurn } from '#hal/core/in-turn';
import { pageMemory } from '#hal/core/page-memory';
import { codeOf, deny, done, type Failure, ok, type Result } from '#hal/core/result';
import { otherSlot, type SlotDevice, type SlotName, type Slots } from '#hal/ports/slots';
import { isImageSize, segmentBytes, segmentCount, segmentLength, segmentsLength } from '../payload/limits.ts';
import { sha256 } from '../payload/segment-index.ts';
import {
  type BlockDigests,
  checkHashArea,
  hashAreaBytes,
  maxSaltBytes,
  saltedDigests,
  veritySuperblock,
  verityTree,
} from '../payload/verity.ts';
import type { FloorReader } from '../plan/floor.ts';
import type { SlotKeeper } from '../slots/keeper.ts';
import { isSameRelease, type ReleaseFacts } from '../slots/ledger.ts';
import { targetFor } from '../slots/target.ts';
import type { SlotView } from '../slots/view.ts';

export interface Installer {
  /**
   * Choose the slot, refuse what may not be written, and take up an earlier install of the same release.
   * @returns where to go on, or a fault of `targetFor`, `resource/update-busy` with owner and progress, `resource/slot-too-small`,
   * `integrity/slot-mismatch` (both names lead to one medium), a fault of the media
   */
  begin(order: InstallOrder): Promise<Result<Begun>>;
  /** The next segment in order, or several that follow one another; flushes by itself at the end of a window. */
  write(segment: number, bytes: Uint8Array): Promise<Result<void>>;
  /** Data, flush, then journal. */
  flushWindow(): Promise<Result<Progress>>;
  /**
   * Read the whole slot back, build its hash tree, write that and read it back.
   * @returns nothing, `integrity/image-mismatch`, `integrity/read-back-mismatch`, or a fault of the media
   */
  finish(): Promise<Result<void>>;
  /** The owner is gone or gives up; what is durable stays for another `begin`. */
  abandon(owner: string): Promise<void>;
}

export interface InstallOrder {
  readonly release: ReleaseFacts;
  /** Of the hash tree; at most 256 bytes. */
  readonly salt: Uint8Array;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  /** Who installs: shown to whoever comes second. */
  readonly owner: string;
  /** A person asked for a release that failed before. */
  readonly isForced: boolean;
}

export interface Progress {
  readonly slot: SlotName;
  /** Durable, from the first segment on. */
  readonly writtenSegments: number;
  readonly segments: number;
}

export interface Begun extends Progress {
  /** `write`: segments are wanted. `verified`: written and read back. `installed`: armed, or a fallback already. */
  readonly stage: 'write' | 'verified' | 'installed';
  /** What the medium says now of segments that may lie on it already: the first that differs is where to go on. */
  readonly recheck: Recheck;
}

/**
 * The window behind what the journal lists: written before a kill, perhaps, and not written down. After a read-back that was
 * not the image, all of it.
 */
export interface Recheck {
  readonly firstSegment: number;
  /** SHA-256 of each; zeros where the medium could not be read. */
  readonly digests: Uint8Array;
}

export interface InstallerParts {
  readonly slots: Slots;
  readonly keeper: SlotKeeper;
  readonly floor: FloorReader;
  /** Durable at once after so many bytes; 8 MiB unless a test says otherwise. */
  readonly windowBytes?: number;
  /** As of `verityTree`. */
  readonly digestsFor?: (salt: Uint8Array) => BlockDigests;
}

export const defaultWindowBytes = 8 * 1024 * 1024;
/** After so many read-backs that were not the image, the slot is not written with this release again. */
const maxMismatches = 3;

interface Work {
  readonly order: InstallOrder;
  readonly slot: SlotName;
  readonly device: SlotDevice;
  readonly segments: number;
  /** Where the first write may be: what lies between was rechecked. */
  readonly earliest: number;
  readonly latest: number;
  readonly mismatches: number;
  hasWritten: boolean;
  next: number;
  durable: number;
}

export const installer = (parts: InstallerParts): Installer => {
  const { slots, keeper, floor, windowBytes = defaultWindowBytes, digestsFor = saltedDigests } = parts;
  /** Who holds the lock; set at once, so that of two who begin together one is refused. */
  let owner: string | undefined;
  let work: Work | undefined;
  const notBegun = deny('protocol', 'event-refused', 'no install has begun');

  const end = async (): Promise<void> => {
    const ended = work;
    work = undefined;
    owner = undefined;
    await ended?.device.close();
  };
  /** A medium that fails is told from one that is full: the first is not written again. */
  const damaged = async (current: Work, failure: Failure): Promise<Failure> => {
    if (codeOf(failure.fault) !== 'unavailable/storage-failed') return failure;
    await keeper.change(current.slot, 'damage', { content: 'failed', reason: 'medium' });
    await end();
    return failure;
  };
  const flushWindow = async (): Promise<Result<Progress>> => {
    if (work === undefined) return notBegun;
    const flushed = await work.device.flush();
    if (!flushed.ok) return damaged(work, flushed);
    const noted = await keeper.note(work.slot, { writtenSegments: work.next });
    if (!noted.ok) return noted;
    work.durable = work.next;
    return ok({ slot: work.slot, writtenSegments: work.durable, segments: work.segments });
  };

  const open = async (order: InstallOrder): Promise<Result<Begun>> => {
    const { release: facts, salt, uuid } = order;
    if (!isImageSize(facts.imageBytes) || salt.length > maxSaltBytes || uuid.length !== 16)
      return deny('protocol', 'field-invalid', 'install order');
    const floorEpoch = await floor.read();
    if (!floorEpoch.ok) return floorEpoch;
    const view = await keeper.view();
    if (!view.ok) return view;
    const chosen = targetFor(view.value, facts, { floorEpoch: floorEpoch.value, isForced: order.isForced });
    if (!chosen.ok) return chosen;
    const slot = chosen.value;
    const device = await openTarget(slots, slot, facts.imageBytes);
    if (!device.ok) return device;
    const target = view.value.slots[slot];
    const segments = segmentCount(facts.imageBytes);
    const isSame = isSameRelease(target.release, facts);
    const isRunning = isSameRelease(view.value.slots[otherSlot(slot)].release, facts);
    const stage = isSame ? stageOf(target, isRunning) : 'write';
    const isResumed = isSame && target.state === 'writing';
    if (stage === 'write' && !isResumed) {
      const fresh = { content: 'writing', release: facts, writtenSegments: 0, mismatches: 0, reason: '' } as const;
      const marked = await keeper.change(slot, 'rewrite', fresh);
      if (!marked.ok) {
        await device.value.close();
        return marked;
      }
    }
    const durable = stage !== 'write' ? segments : isResumed ? Math.min(target.writtenSegments, segments) : 0;
    const mismatches = isResumed ? target.mismatches : 0;
    const windowSegments = Math.max(1, Math.floor(windowBytes / segmentBytes));
    const firstSegment = mismatches > 0 ? 0 : durable;
    const latest = isResumed ? Math.min(durable + windowSegments, segments) : durable;
    work = {
      ...{ order, slot, device: device.value, segments, earliest: firstSegment, latest },
      ...{ mismatches, hasWritten: false, next: durable, durable },
    };
    const digests = await digestsOf(device.value, facts.imageBytes, firstSegment, latest);
    return ok({ slot, writtenSegments: durable, segments, stage, recheck: { firstSegment, digests } });
  };

  const begin = async (order: InstallOrder): Promise<Result<Begun>> => {
    await work?.device.close();
    work = undefined;
    const begun = await open(order);
    if (!begun.ok) await end();
    return begun;
  };

  const write = async (segment: number, bytes: Uint8Array): Promise<Result<void>> => {
    if (work === undefined) return notBegun;
    const { order, device, earliest, latest, durable } = work;
    const { imageBytes } = order.release;
    const isNext = work.hasWritten ? segment === work.next : segment >= earliest && segment <= latest;
    const end = segment + Math.max(1, segmentCount(bytes.length));
    if (!isNext || end > work.segments || bytes.length !== segmentsLength(imageBytes, segment, end))
      return deny('protocol', 'field-invalid', `segment ${segment}, ${bytes.length} bytes, where ${work.next} is next`);
    if (!work.hasWritten && segment > durable) {
      // What a kill left, and was found good, counts before more is written: a cut then costs no more than a window.
      work.next = segment;
      const flushed = await flushWindow();
      if (!flushed.ok) return flushed;
    }
    const written = await device.write(segment * segmentBytes, bytes);
    if (!written.ok) return damaged(work, written);
    work.durable = Math.min(segment, work.durable);
    work.hasWritten = true;
    work.next = end;
    if ((work.next - work.durable) * segmentBytes < windowBytes) return done;
    const flushed = await flushWindow();
    return flushed.ok ? done : flushed;
  };

  const finish = async (): Promise<Result<void>> => {
    if (work === undefined) return notBegun;
    // Nothing to write: whoever compared the digests found all that was left on the medium. The read-back decides.
    if (!work.hasWritten && work.latest === work.segments) work.next = work.segments;
    if (work.next !== work.segments) return deny('protocol', 'event-refused', `${work.next} of ${work.segments} segments`);
    const flushed = await flushWindow();
    if (!flushed.ok) return flushed;
    const { order, device, slot, mismatches } = work;
    const checked = await readBack(device, order, digestsFor(order.salt));
    if (checked.ok) {
      const verified = await keeper.change(slot, 'read-back', { content: 'verified' });
      if (verified.ok) await end();
      return verified;
    }
    if (checked.fault.category !== 'integrity') return damaged(work, checked);
    await end();
    const noted =
      mismatches + 1 < maxMismatches
        ? await keeper.note(slot, { mismatches: mismatches + 1 })
        : await keeper.change(slot, 'damage', { content: 'failed', reason: checked.fault.reason });
    return noted.ok ? checked : noted;
  };

  const exclusive = inTurn();
  return {
    async begin(order) {
      if (owner !== undefined && owner !== order.owner) {
        const progress = work === undefined ? 'beginning' : `${work.durable} of ${work.segments} segments`;
        return deny('resource', 'update-busy', `${owner}: ${progress}`);
      }
      owner = order.owner;
      return exclusive(() => begin(order));
    },
    write: (segment, bytes) => exclusive(() => write(segment, bytes)),
    flushWindow: () => exclusive(flushWindow),
    finish: () => exclusive(finish),
    abandon: (gone) => exclusive(async () => (owner === gone ? end() : undefined)),
  };
};

/** @param isRunning the same release runs: a good slot is its fallback. Otherwise the device fell back from it, and it is written anew */
const stageOf = ({ state }: SlotView, isRunning: boolean): Begun['stage'] => {
  if (state === 'verified') return 'verified';
  return state === 'trial' || (state === 'superseded' && isRunning) ? 'installed' : 'write';
};

/** The slot to write: another medium than the running one, whatever the names say, and large enough. */
const openTarget = async (slots: Slots, slot: SlotName, imageBytes: number): Promise<Result<SlotDevice>> => {
  const running = await slots.open(otherSlot(slot), 'read');
  if (!running.ok) return running;
  const { deviceId } = running.value;
  await running.value.close();
  const target = await slots.open(slot, 'write');
  if (!target.ok) return target;
  const needed = imageBytes + hashAreaBytes(imageBytes);
  const refusal =
    target.value.deviceId === deviceId
      ? deny('integrity', 'slot-mismatch', `both slots are ${deviceId}`)
      : target.value.sizeBytes < needed
        ? deny('resource', 'slot-too-small', `${needed} bytes into ${target.value.sizeBytes}`)
        : undefined;
  if (refusal === undefined) return target;
  await target.value.close();
  return refusal;
};

const digestsOf = async (device: SlotDevice, imageBytes: number, first: number, end: number): Promise<Uint8Array> => {
  const digests: Uint8Array[] = [];
  for (let segment = first; segment < end; segment += 1) {
    const read = await device.read(segment * segmentBytes, segmentLength(imageBytes, segment));
    digests.push(read.ok ? sha256(read.value) : new Uint8Array(32));
  }
  return concat(...digests);
};

/** At once: each read costs a turn of another thread. */
const readBackBytes = 2 * 1024 * 1024;

/**
 * Image from the medium, hash tree behind it as it grows, superblock last and only over the right root; the slot stays
 * unbootable all the while, so a cut here costs a repetition.
 */
const readBack = async (
  device: SlotDevice,
  { release, salt, uuid }: InstallOrder,
  digestsOf: BlockDigests,
): Promise<Result<void>> => {
  const { imageBytes, verityRoot } = release;
  const parameters = { imageBytes, salt, uuid };
  const tree = verityTree(parameters, digestsOf);
  const place = async (blocks: ReturnType<typeof tree.update>): Promise<Result<void>> => {
    for (const { offsetBytes, bytes } of blocks) {
      const written = await device.write(imageBytes + offsetBytes, bytes);
      if (!written.ok) return written;
    }
    return done;
  };
  const memory = pageMemory(Math.min(readBackBytes, imageBytes));
  for (let offsetBytes = 0; offsetBytes < imageBytes; offsetBytes += readBackBytes) {
    const read = await device.read(offsetBytes, Math.min(readBackBytes, imageBytes - offsetBytes), memory);
    if (!read.ok) return read;
    const placed = await place(tree.update(read.value));
    if (!placed.ok) return placed;
  }
  const { blocks, root } = tree.finish();
  if (!equalBytes(root, verityRoot)) return deny('integrity', 'image-mismatch', 'the root hash is not the signed one');
  const placed = await place(blocks);
  if (!placed.ok) return placed;
  const superblock = await device.write(imageBytes, veritySuperblock(parameters));
  if (!superblock.ok) return superblock;
  const flushed = await device.flush();
  return flushed.ok ? checkHashArea(device, parameters, root, digestsOf) : flushed;
};
