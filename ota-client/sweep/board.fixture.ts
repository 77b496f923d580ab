/** Machines on recorded media: with a boot record of our own, and with the variables of UEFI firmware. */
import { type BootRecord, type BootRecordStore, bootRecordStore, recordedBootControl } from '#hal/core/boot-record';
import { deny, done, ok, type Result, unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { memorySlots } from '#hal/memory/block-device';
import type { BlockPool } from '#hal/memory/block-pool';
import { chooseSlot } from '#hal/memory/boot-loader';
import {
  blankMedia,
  cellBytes,
  type MediaLayout,
  type MediaState,
  type RecordedMedia,
  recordedMedia,
} from '#hal/memory/recorded-media';
import type { BlockDevice } from '#hal/ports/block-device';
import { type BootControl, maxTries } from '#hal/ports/boot-control';
import { otherSlot, type SlotName, type Slots } from '#hal/ports/slots';
import { type Machine, machineOn } from '../apply/machine.fixture.ts';
import type { TestRelease } from '../apply/releases.fixture.ts';
import { segmentBytes } from '../payload/limits.ts';
import type { Floor } from '../plan/floor.ts';
import { emptyEntry, isSameRelease, type LedgerStore, ledgerStore, type ReleaseFacts, type SlotEntry } from '../slots/ledger.ts';
import { firmware, firmwareRegisters } from './firmware.fixture.ts';
import { first, sweepReleases, sweepSlotBytes, sweepWindowSegments } from './releases.fixture.ts';

export const boardNames = ['record', 'efi'] as const;
export type BoardName = (typeof boardNames)[number];

const floorRegister = 'floor';
export const layout: MediaLayout = {
  media: { a: sweepSlotBytes, b: sweepSlotBytes, journal: twinRecordBytes, boot: twinRecordBytes },
  registers: [floorRegister, ...firmwareRegisters],
};

/** Where a life begins. */
export interface LifeState {
  readonly media: MediaState;
  /** The slot that still runs: the programs alone start again. */
  readonly running?: SlotName;
  /** Which release of its story is offered; those before it are no longer. */
  readonly offered?: number;
}

/** What a planted fault replaces. */
export interface Wrapping {
  readonly device?: (device: BlockDevice, medium: string) => BlockDevice;
  readonly ports?: (ports: SweptPorts) => SweptPorts;
}

export interface SweptPorts {
  readonly slots: Slots;
  readonly ledger: LedgerStore;
  readonly floor: Floor;
  readonly control: (running: Parameters<typeof recordedBootControl>[1]) => BootControl;
}

export interface SweptMachine extends Machine {
  readonly media: RecordedMedia;
  /** The content of each cell of a slot that holds the release. */
  readonly contents: (release: ReleaseFacts | undefined) => readonly number[] | undefined;
  /** Whether a slot is rotten as it was laid out, and nobody has written to it since. */
  readonly isRotten: (slot: SlotName) => boolean;
}

/** What lies in the slots before a story begins; the floor is that of the first release. */
export interface Layout {
  readonly a: TestRelease;
  readonly b: TestRelease;
  /** Committed; the other is its fallback. */
  readonly runs: SlotName;
  /** Gave up its trial. */
  readonly failed?: SlotName;
  /** Its first block is another than dm-verity knows. */
  readonly rotten?: SlotName;
}

export interface Board {
  readonly name: BoardName;
  readonly pool: BlockPool;
  /** As a factory and earlier updates leave it: nothing is pending. */
  laidOut(how: Layout): Promise<MediaState>;
  machine(from: LifeState): SweptMachine;
}

export const board = (
  name: BoardName,
  pool: BlockPool,
  { ports: wrap = (ports) => ports, device: wrapDevice = (device) => device }: Wrapping = {},
): Board => {
  const contents = new Map<TestRelease, readonly number[]>(
    sweepReleases.map((release) => [release, numbersOf(pool, release.slotContent)]),
  );
  const portsOn = (media: RecordedMedia, isWrapped: boolean) => {
    const device = (medium: string) => (isWrapped ? wrapDevice(media.device(medium), medium) : media.device(medium));
    const record = bootRecordStore(device('boot'));
    const efi = firmware(media);
    const boot = name === 'record' ? recordBoot(record) : efi;
    const devices = { a: device('a'), b: device('b') };
    const floor = registerFloor(media);
    const honest: SweptPorts = {
      slots: memorySlots(devices),
      ledger: ledgerStore(device('journal')),
      floor,
      control: boot.control,
    };
    const ports = isWrapped ? wrap(honest) : honest;
    return { ...ports, choose: boot.chooseSlot };
  };
  const rotten = numbersOf(pool, rottenBlock);
  const holds = (media: RecordedMedia, slot: SlotName, numbers: readonly number[]): boolean => {
    const cell = media.cellOf(slot);
    return numbers.every((number, at) => media.seen[cell + at] === number);
  };
  const contentOf = (media: RecordedMedia) => (slot: SlotName) =>
    sweepReleases.find((release) => holds(media, slot, contents.get(release) ?? []));
  return {
    ...{ name, pool },
    async laidOut({ a, b, runs, failed, rotten }) {
      const media = recordedMedia(layout, pool, blankMedia(layout, pool));
      const { ledger, control } = portsOn(media, false);
      for (const [slot, release] of [
        ['a', a],
        ['b', b],
      ] as const) {
        unwrap(await media.device(slot).write(0, release.slotContent));
        if (slot === rotten) unwrap(await media.device(slot).write(0, rottenBlock));
        unwrap(await media.device(slot).flush());
      }
      const entryOf = (slot: SlotName, release: TestRelease): SlotEntry => ({
        ...{ ...emptyEntry, release: release.facts },
        ...(slot === failed ? { content: 'failed', reason: 'unwell' } : { content: 'verified' }),
      });
      if (name === 'record') unwrap(await bootRecordStore(media.device('boot')).write(blankRecord));
      unwrap(await ledger.write({ a: entryOf('a', a), b: entryOf('b', b) }));
      const boot = control(async () => ok({ slot: runs, verityRoot: (runs === 'a' ? a : b).facts.verityRoot }));
      unwrap(await boot.commit(runs));
      if (failed === undefined) unwrap(await boot.markFallback(otherSlot(runs)));
      media.writeRegister(floorRegister, Uint8Array.of(first.facts.floorEpoch));
      return media.state();
    },
    machine(from) {
      const media = recordedMedia(layout, pool, from.media);
      const known = contentOf(media);
      const slot = from.running ?? 'a';
      const { choose, ...ports } = portsOn(media, true);
      const machine = machineOn({
        ...{ ...ports, chooseSlot: () => choose((name) => known(name) !== undefined) },
        ...{ known: sweepReleases, contentOf: known, windowBytes: sweepWindowSegments * segmentBytes },
        running: { slot, verityRoot: known(slot)?.facts.verityRoot ?? new Uint8Array(32) },
      });
      return Object.assign(machine, {
        media,
        isRotten: (name: SlotName) =>
          [...contents.values()].some((numbers) => holds(media, name, [...rotten, ...numbers.slice(rotten.length)])),
        contents: (facts: ReleaseFacts | undefined) => {
          const release = sweepReleases.find((one) => isSameRelease(one.facts, facts));
          return release === undefined ? undefined : contents.get(release);
        },
      });
    },
  };
};

const rottenBlock = new Uint8Array(cellBytes).fill(0xee);
const blankRecord: BootRecord = {
  preferred: 'a',
  slots: { a: { state: 'unbootable', triesLeft: 0 }, b: { state: 'unbootable', triesLeft: 0 } },
};

const recordBoot = (record: BootRecordStore) => ({
  control: (running: Parameters<typeof recordedBootControl>[1]) => recordedBootControl(record, running),
  /** A trial that dm-verity does not open resets the machine, and costs a try. */
  async chooseSlot(opens: (slot: SlotName) => boolean): Promise<Result<SlotName>> {
    let chosen = await chooseSlot(record, opens);
    for (let starts = 1; starts < maxTries && chosen.ok && !opens(chosen.value); starts += 1)
      chosen = await chooseSlot(record, opens);
    return chosen;
  },
});

/** One bit after the other, each at once. */
const registerFloor = (media: RecordedMedia): Floor => {
  const epoch = () => media.readRegister(floorRegister)[0] ?? 0;
  return {
    read: async () => ok(epoch()),
    async raise(to): Promise<Result<void>> {
      if (to > epoch() + 1) return deny('protocol', 'field-invalid', `epoch ${to} after ${epoch()}`);
      if (to > epoch()) media.writeRegister(floorRegister, Uint8Array.of(to));
      return done;
    },
  };
};

const numbersOf = (pool: BlockPool, content: Uint8Array): readonly number[] =>
  Array.from({ length: content.length / cellBytes }, (_, at) =>
    pool.numberOf(at, content.subarray(at * cellBytes, (at + 1) * cellBytes)),
  );
