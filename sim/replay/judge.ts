/**
 * What a machine would start, judged without starting it: by the bytes of its disk and of its firmware's flash, in the
 * order in which firmware, stub and first root look at them.
 *
 * A slot is good here when all of it is: the firmware takes its image, every block of its root leads to the root hash that
 * the image's signed command line names, and every block of both partitions to that of the release which the ledger says is
 * in it. A start reads less, and would be content with less.
 */
import { equalBytes, fromHex, toHex } from '#hal/core/bytes';
import { bootPath } from '#hal/core/efi-load-option';
import { deny, ok, type Result } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { headBytes } from '#hal/linux/machine-slots';
import { memoryBlockDevice } from '#hal/memory/block-device';
import { type SlotName, slotNames } from '#hal/ports/slots';
import { blockBytes } from '#ota-client/payload/limits';
import { hashAreaBytes, saltOf, type TreeBlocks, verityTree } from '#ota-client/payload/verity';
import { type Ledger, ledgerStore } from '#ota-client/slots/ledger';
import { isSignedBy } from '#sim/image/authenticode';
import { sectorBytes } from '#sim/image/gpt';
import { sectionOf } from '#sim/image/pe';
import { bootCandidates, trustedSigners } from './boot-choice.ts';
import { type ByteSource, joined, partOf } from './byte-source.ts';
import { fatFile } from './fat-file.ts';
import { readVariables, type Variables } from './firmware-variables.ts';
import { type FoundPartition, readPartitions } from './partition-table.ts';
import type { ReplayedMedium } from './replayed-medium.ts';

export interface Judgement {
  /** What starts next. */
  readonly next: SlotName;
  /** What starts when that comes to nothing: the firmware forgets `BootNext` before it follows it. */
  readonly fallback: SlotName;
  readonly ledger: Ledger;
  /** Images that the firmware would refuse on its way, and why. */
  readonly passed: readonly string[];
}

interface SignedWords {
  readonly slots: Readonly<Record<SlotName, string | undefined>>;
  readonly verityRoot: Uint8Array;
  readonly imageBytes: number;
}

export type Judge = (disk: ReplayedMedium, flash: Uint8Array) => Promise<Result<Judgement>>;

/** Remembers what it said of the same bytes, which most parts of most disks are. */
export const judge = (): Judge => {
  const images = new Map<string, Result<SignedWords>>();
  const roots = new Map<string, string | undefined>();
  const known = <T>(memory: Map<string, T>, key: string, find: () => T): T => {
    if (!memory.has(key)) memory.set(key, find());
    return memory.get(key) as T;
  };
  const same = (disk: ReplayedMedium, { uuid, startSector, sectors }: FoundPartition) =>
    `${uuid} ${disk.sameAs(startSector, sectors)}`;

  return async (disk, flash) => {
    const [variables, partitions] = [readVariables(flash), readPartitions(disk)];
    if (!variables.ok) return variables;
    if (!partitions.ok) return partitions;
    const ledger = await ledgerOf(disk, partitions.value);
    if (!ledger.ok) return ledger;
    const signers = trustedSigners(variables.value);
    const passed: string[] = [];
    const slotThatStarts = (isOnce: boolean): Result<SlotName> => {
      const started = firstThatStarts(variables.value, partitions.value, isOnce, passed, (partition) =>
        known(images, `${signers.map(toHex).join()} ${same(disk, partition)}`, () => signedWords(disk, partition, signers)),
      );
      if (!started.ok) return started;
      const { partition, words } = started.value;
      const slot = slotNames.find((name) => words.slots[name] === partition.uuid);
      if (slot === undefined) return deny('integrity', 'boot-unverified', `${partition.name} is no slot`);
      const root = partitions.value.find(({ name }) => name === `root-${slot}`);
      if (root === undefined) return deny('integrity', 'boot-unverified', `no root-${slot}`);
      const verified = known(roots, `${toHex(words.verityRoot)} ${same(disk, root)}`, () =>
        treeFault(bytesOf(disk, root), words.imageBytes, words.verityRoot),
      );
      if (verified !== undefined) return deny('integrity', 'boot-unverified', `${root.name}: ${verified}`);
      const { content, release } = ledger.value[slot];
      if (content !== 'verified' || release === undefined)
        return deny('integrity', 'release-unverified', `slot ${slot} starts, and the ledger says ${content}`);
      const key = `${toHex(release.verityRoot)} ${same(disk, partition)} ${same(disk, root)}`;
      const whole = slotBytes(bytesOf(disk, partition), bytesOf(disk, root));
      const released = known(roots, key, () => treeFault(whole, release.imageBytes, release.verityRoot));
      return released === undefined ? ok(slot) : deny('integrity', 'release-unverified', `slot ${slot}: ${released}`);
    };
    const next = slotThatStarts(true);
    if (!next.ok) return next;
    const fallback = slotThatStarts(false);
    return fallback.ok ? ok({ next: next.value, fallback: fallback.value, ledger: ledger.value, passed }) : fallback;
  };
};

const firstThatStarts = (
  variables: Variables,
  partitions: readonly FoundPartition[],
  isOnce: boolean,
  passed: string[],
  wordsOf: (partition: FoundPartition) => Result<SignedWords>,
): Result<{ readonly partition: FoundPartition; readonly words: SignedWords }> => {
  for (const uuid of bootCandidates(variables, isOnce)) {
    const partition = partitions.find((one) => one.uuid === uuid);
    const words = partition === undefined ? deny('unavailable', 'not-found', uuid) : wordsOf(partition);
    if (partition !== undefined && words.ok) return ok({ partition, words: words.value });
    if (!words.ok) passed.push(`${partition?.name ?? uuid}: ${words.fault.detail ?? words.fault.reason}`);
  }
  return deny('integrity', 'boot-unverified', `nothing starts: ${passed.join('; ')}`);
};

/** What the firmware starts of a partition tells its first root; or why the firmware refuses it. */
const signedWords = (disk: ByteSource, partition: FoundPartition, signers: readonly Uint8Array[]): Result<SignedWords> => {
  const { name } = partition;
  const file = fatFile(bytesOf(disk, partition), bootPath.split('\\').slice(1));
  if (!file.ok) return file;
  if (!signers.some((certificate) => isSignedBy(file.value, certificate)))
    return deny('integrity', 'signature-invalid', `${name} is not signed`);
  const line = sectionOf(file.value, '.cmdline');
  if (!line.ok) return line;
  const pairs = Buffer.from(line.value).toString('latin1').replace(/\0+$/, '').split(' ');
  const word = (key: string) => pairs.find((pair) => pair.startsWith(`${key}=`))?.slice(key.length + 1);
  const [verityRoot, blocks] = [fromHex(word('enigm.verity') ?? ''), Number(word('enigm.blocks'))];
  return verityRoot?.length !== 32 || !Number.isSafeInteger(blocks) || blocks < 1
    ? deny('protocol', 'malformed', `command line of ${name}`)
    : ok({ slots: { a: word('enigm.a'), b: word('enigm.b') }, verityRoot, imageBytes: blocks * blockBytes });
};

const chunkBytes = 16 * 1024 * 1024;

const bytesOf = (disk: ByteSource, { startSector, sectors }: FoundPartition): ByteSource =>
  partOf(disk, startSector * sectorBytes, sectors * sectorBytes);

/** As a release has it (`hal/linux/machine-slots.ts`): boot partition without its head, its head, root partition. */
const slotBytes = (boot: ByteSource, root: ByteSource): ByteSource =>
  joined([partOf(boot, headBytes, boot.sizeBytes - headBytes), partOf(boot, 0, headBytes), root]);

/**
 * Every block, and every block of the tree as it lies behind them: dm-verity believes that one, from the root down.
 * @returns what is wrong, if anything is
 */
const treeFault = (image: ByteSource, imageBytes: number, verityRoot: Uint8Array): string | undefined => {
  const areaBytes = hashAreaBytes(imageBytes);
  if (imageBytes + areaBytes > image.sizeBytes) return 'too short';
  const area = image.read(imageBytes, areaBytes);
  const tree = verityTree({ imageBytes, salt: saltOf(area), uuid: new Uint8Array(16) });
  const isThere = ({ offsetBytes, bytes }: TreeBlocks) =>
    equalBytes(area.subarray(offsetBytes, offsetBytes + bytes.length), bytes);
  for (let at = 0; at < imageBytes; at += chunkBytes)
    if (!tree.update(image.read(at, Math.min(chunkBytes, imageBytes - at))).every(isThere)) return 'a block is another';
  const end = tree.finish();
  return end.blocks.every(isThere) && equalBytes(end.root, verityRoot) ? undefined : 'another root';
};

const ledgerOf = async (disk: ReplayedMedium, partitions: readonly FoundPartition[]): Promise<Result<Ledger>> => {
  const place = partitions.find(({ name }) => name === 'ledger');
  if (place === undefined) return deny('unavailable', 'not-found', 'no ledger');
  const medium = memoryBlockDevice(twinRecordBytes);
  medium.load(disk.read(place.startSector * sectorBytes, twinRecordBytes));
  return ledgerStore(medium).read();
};
