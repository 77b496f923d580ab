/** A machine with two slots, a journal, a boot record and a TPM floor, all on one power supply that can be cut. */
import { expect } from 'vitest';
import { bootRecordStore, recordedBootControl } from '#hal/core/boot-record';
import { concat, utf8 } from '#hal/core/bytes';
import { deny, done, ok, type Result, unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { memoryBlockDevice, memorySlots } from '#hal/memory/block-device';
import { chooseSlot } from '#hal/memory/boot-loader';
import { virtualClock } from '#hal/memory/clock';
import { memoryPower } from '#hal/memory/power';
import type { BootControl, RunningSlot } from '#hal/ports/boot-control';
import { type SlotName, type Slots, slotNames } from '#hal/ports/slots';
import { buildPayload, indexOf, type Payload, wholeBlocks } from '../payload/build.ts';
import { namePayload, type PayloadFiles } from '../payload/files.ts';
import { nextImage, sampleImage } from '../payload/images.fixture.ts';
import { encodeIndex, sha256 } from '../payload/segment-index.ts';
import { hashAreaBytes, veritySuperblock, verityTree } from '../payload/verity.ts';
import type { Floor } from '../plan/floor.ts';
import { type Offer, planUpdate } from '../plan/update.ts';
import { provisionSlots } from '../slots/factory.ts';
import { brokenByStep, brokenInvariants } from '../slots/invariants.ts';
import { slotKeeper } from '../slots/keeper.ts';
import { ledgerStore, type ReleaseFacts } from '../slots/ledger.ts';
import type { SlotsView } from '../slots/view.ts';
import type { FetchRange } from './fetch.ts';
import { raiseFloor } from './floor.ts';
import { install } from './install.ts';
import { type InstallOrder, installer } from './installer.ts';
import { slotSwitch } from './switch.ts';

/** Stands still: windows are flushed by their size alone. */
export const clock = virtualClock();
export const salt = new Uint8Array(32).fill(7);
export const uuid = new Uint8Array(16).fill(9);
export const hardware = 'test-board';

export interface TestRelease {
  readonly name: string;
  readonly facts: ReleaseFacts;
  readonly offer: Offer;
  /** Image, superblock and hash tree: what a good slot holds. */
  readonly slotContent: Uint8Array;
  readonly payload: Payload;
  readonly files: PayloadFiles;
  /** The signed statement; `verifyArm` of these machines accepts exactly those of known releases. */
  readonly envelope: Uint8Array;
  readonly order: InstallOrder;
  readonly fetch: FetchRange;
}

/** @param base the image that a pair recipe starts from */
export const testRelease = (
  name: string,
  counter: number,
  floorEpoch: number,
  image: Uint8Array,
  base?: Uint8Array,
): TestRelease => {
  const whole = wholeBlocks(image);
  const payload = buildPayload(whole, base, { level: 6 });
  const { root, content } = slotContent(whole);
  const facts = { digest: sha256(utf8(`release ${name}`)), counter, floorEpoch, imageBytes: whole.length, verityRoot: root };
  const pairs =
    payload.pair === undefined || base === undefined ? [] : [{ base: sha256(encodeIndex(indexOf(base))), files: payload.pair }];
  const { files, contents } = namePayload(name, payload, pairs);
  return {
    ...{ name, facts, payload, files, slotContent: content },
    offer: { ...facts, hardware: [hardware] },
    envelope: utf8(`signed ${name}`),
    order: { release: facts, salt, uuid, owner: 'agent', isForced: false },
    fetch: async (path, offset, length) => {
      const bytes = contents.get(path);
      return bytes === undefined ? deny('unavailable', 'not-found', path) : ok(bytes.slice(offset, offset + length));
    },
  };
};

const slotContent = (image: Uint8Array) => {
  const parameters = { imageBytes: image.length, salt, uuid };
  const tree = verityTree(parameters);
  const area = new Uint8Array(hashAreaBytes(image.length));
  area.set(veritySuperblock(parameters));
  const first = tree.update(image);
  const { blocks, root } = tree.finish();
  for (const { offsetBytes, bytes } of [...first, ...blocks]) area.set(bytes, offsetBytes);
  return { root, content: concat(image, area) };
};

export const windowSegments = 2;
export const segmentBytesOfWindow = windowSegments * 256 * 1024;
export const slotBytes = 1200 * 1024;
const oldImage = sampleImage('old', 200);
export const oldRelease = testRelease('r1', 1, 1, oldImage);
export const newRelease = testRelease('r2', 2, 3, nextImage('new', oldImage), oldImage);
export const releases: readonly TestRelease[] = [oldRelease, newRelease];

/** Ports wrapped to fail. */
export interface Faulty {
  readonly known?: readonly TestRelease[];
  readonly slots?: (slots: Slots) => Slots;
  readonly control?: (control: BootControl) => BootControl;
  readonly floor?: (floor: Floor) => Floor;
}
const same = <T>(port: T): T => port;

export type Machine = Awaited<ReturnType<typeof newMachine>>;

/** Both slots hold the old release: a is committed and runs, b is its fallback, as after an earlier update. */
export const newMachine = async (faulty: Faulty = {}) => {
  const { known = releases, slots: wrapSlots = same, control: wrapControl = same, floor: wrapFloor = same } = faulty;
  const power = memoryPower();
  const medium = (sizeBytes: number) => memoryBlockDevice(sizeBytes, power);
  const media = { a: medium(slotBytes), b: medium(slotBytes), journal: medium(twinRecordBytes), boot: medium(twinRecordBytes) };
  media.a.load(oldRelease.slotContent);
  const boot = bootRecordStore(media.boot);
  const ledger = ledgerStore(media.journal);
  unwrap(await provisionSlots(boot, ledger, oldRelease.facts));
  media.b.load(oldRelease.slotContent);
  const { a } = unwrap(await ledger.read());
  unwrap(await ledger.write({ a, b: a }));
  unwrap(await recordedBootControl(boot, async () => deny('unavailable', 'not-supported')).markFallback('b'));
  let running: RunningSlot = { slot: 'a', verityRoot: oldRelease.facts.verityRoot };
  const control = wrapControl(recordedBootControl(boot, async () => ok(running)));
  let epoch = 1;
  /** An operation before the bit is set, and one after: a cut may leave either. */
  const floor: Floor = wrapFloor({
    read: async () => power.off() ?? ok(epoch),
    async raise(to) {
      const before = power.off() ?? power.spend();
      if (before !== undefined) return before;
      epoch = Math.max(epoch, to);
      return power.spend() ?? done;
    },
  });
  /** I2: what is written does not run and may not be started. */
  const guardedSlots: Slots = {
    async open(slot, access) {
      const opened = unwrap(await wrapSlots(memorySlots(media)).open(slot, access));
      return ok({
        ...opened,
        async write(offsetBytes, bytes) {
          const record = await boot.read();
          if (record.ok) expect([slot === running.slot, record.value.slots[slot].state]).toEqual([false, 'unbootable']);
          return opened.write(offsetBytes, bytes);
        },
      });
    },
  };
  /** A new life of the programs: nothing but the media is kept. */
  const programs = () => {
    const keeper = slotKeeper(control, ledger);
    const verifyArm = (envelope: Uint8Array): Result<ReleaseFacts> => {
      const found = known.find((release) => Buffer.compare(release.envelope, envelope) === 0);
      return found === undefined ? deny('integrity', 'signature-invalid') : ok(found.facts);
    };
    return {
      keeper,
      installer: installer({ slots: guardedSlots, keeper, floor, windowBytes: segmentBytesOfWindow }),
      switch: slotSwitch({ keeper, floor, verifyArm }),
    };
  };
  let alive = programs();
  let seen: SlotsView | undefined;
  return {
    /** Look at the slots; invariants hold, and nothing moved but along the table since the last look. */
    async look(): Promise<Result<SlotsView>> {
      const view = await alive.switch.status();
      if (!view.ok) return view;
      const now = unwrap(await floor.read());
      expect(brokenInvariants(view.value, now)).toEqual([]);
      if (seen !== undefined) expect(brokenByStep(seen, view.value)).toEqual([]);
      seen = view.value;
      return view;
    },
    power,
    media,
    floor,
    control,
    boot,
    ledger,
    slots: guardedSlots,
    get hands() {
      return alive;
    },
    get running() {
      return running;
    },
    /** What the kernel would measure of a slot; undefined where dm-verity would not open it. */
    contentOf: (slot: SlotName): TestRelease | undefined => releaseIn(media[slot].durable(), known),
    setRunning: (slot: RunningSlot) => {
      running = slot;
    },
    /** The boot loader chooses, dm-verity opens what it chose. @returns the slot that runs, or that none does */
    async restart(): Promise<Result<SlotName>> {
      const chosen = await chooseSlot(boot);
      if (!chosen.ok) return chosen;
      const content = releaseIn(media[chosen.value].durable(), known);
      if (content === undefined) return deny('integrity', 'boot-unverified', `slot ${chosen.value}`);
      running = { slot: chosen.value, verityRoot: content.facts.verityRoot };
      alive = programs();
      return chosen;
    },
    restartPrograms: () => {
      alive = programs();
    },
  };
};

const releaseIn = (slot: Uint8Array, known: readonly TestRelease[]): TestRelease | undefined =>
  known.find(({ slotContent: content }) => Buffer.compare(slot.subarray(0, content.length), content) === 0);

export const runningImage = (machine: Machine, from: TestRelease) => ({
  index: sha256(from.payload.index),
  device: machine.media[machine.running.slot],
});

const soak = { soakedMs: 1, neededMs: 1 };
const gates = { isPowered: true, hasSpace: true, isCool: true };

/**
 * Do what `planUpdate` says until nothing is left: install, arm, restart, commit, refresh the other slot, raise the floor.
 * @returns the number of segments written; or the fault at which it stopped
 */
export const updateTo = async (machine: Machine, release: TestRelease, from: TestRelease): Promise<Result<number>> => {
  let segments = 0;
  const write = async (): Promise<Result<void>> => {
    const runs = machine.contentOf(machine.running.slot) ?? from;
    const { installer: hands } = machine.hands;
    const counting = {
      ...hands,
      write: (segment: number, bytes: Uint8Array) => {
        segments += 1;
        return hands.write(segment, bytes);
      },
    };
    const parts = { mirrors: [release.fetch], installer: counting, clock, running: runningImage(machine, runs) };
    return install(release.order, release.files, parts, new AbortController().signal);
  };
  for (let steps = 0; steps < 40; steps += 1) {
    const view = await machine.look();
    if (!view.ok) return view;
    const floorEpoch = await machine.floor.read();
    if (!floorEpoch.ok) return floorEpoch;
    const plan = planUpdate(release.offer, {
      ...{ view: view.value, floorEpoch: floorEpoch.value, hardware, slotBytes, gates, isForced: false },
    });
    if (!plan.ok) return plan.fault.reason === 'release-current' ? ok(segments) : plan;
    const stepped = await perform(machine, release, plan.value[0] ?? 'write', write);
    if (!stepped.ok) return stepped;
  }
  return deny('resource', 'count-limit', 'the update does not end');
};

const perform = async (
  machine: Machine,
  release: TestRelease,
  next: string,
  write: () => Promise<Result<void>>,
): Promise<Result<unknown>> => {
  switch (next) {
    case 'write':
      return write();
    case 'arm':
      return machine.hands.switch.arm(release.envelope);
    case 'restart':
      return machine.restart();
    case 'health-gate':
      return machine.hands.switch.commit();
    default: {
      // Only the floor is left.
      const raised = await raiseFloor(machine.hands.keeper, machine.floor, soak);
      if (raised.ok || raised.fault.detail?.startsWith('refresh-other') !== true) return raised;
      const refreshed = await write();
      return refreshed.ok ? machine.hands.switch.arm(release.envelope) : refreshed;
    }
  }
};

/** All that must hold after a cut, and that what may be started is what it says it is. */
export const expectSound = async (machine: Machine): Promise<SlotsView> => {
  const view = unwrap(await machine.look());
  for (const name of slotNames) {
    const { state, release } = view.slots[name];
    if (state === 'committed' || state === 'superseded' || state === 'trial')
      expect(machine.contentOf(name)?.facts.verityRoot).toEqual(release?.verityRoot);
  }
  return view;
};
