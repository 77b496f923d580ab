/** A machine with two slots, a journal, boot control and a TPM floor: on one power supply that can be cut, or on other media. */
import { bootRecordStore, recordedBootControl } from '#hal/core/boot-record';
import { deny, done, ok, type Result, unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { memoryBlockDevice, memorySlots } from '#hal/memory/block-device';
import { chooseSlot } from '#hal/memory/boot-loader';
import { memoryPower } from '#hal/memory/power';
import type { BootControl, RunningSlot } from '#hal/ports/boot-control';
import { type SlotName, type Slots, slotNames } from '#hal/ports/slots';
import type { Floor } from '../plan/floor.ts';
import { provisionSlots } from '../slots/factory.ts';
import { brokenByStep, brokenInvariants } from '../slots/invariants.ts';
import { slotKeeper } from '../slots/keeper.ts';
import { type LedgerStore, ledgerStore, type ReleaseFacts } from '../slots/ledger.ts';
import type { SlotsView } from '../slots/view.ts';
import { installer } from './installer.ts';
import { oldRelease, releases, segmentBytesOfWindow, slotBytes, type TestRelease } from './releases.fixture.ts';
import { slotSwitch } from './switch.ts';

export interface MachineParts {
  readonly slots: Slots;
  readonly ledger: LedgerStore;
  readonly floor: Floor;
  readonly control: (running: () => Promise<Result<RunningSlot>>) => BootControl;
  /** The boot loader. */
  readonly chooseSlot: () => Promise<Result<SlotName>>;
  /** What the kernel would measure of a slot; undefined where dm-verity would not open it. */
  readonly contentOf: (slot: SlotName) => TestRelease | undefined;
  readonly known: readonly TestRelease[];
  readonly windowBytes: number;
  /** Of a machine whose programs alone start. */
  readonly running: RunningSlot;
}

/** @throws naming the sentences that do not hold */
export const expectNone = (broken: readonly string[]): void => {
  if (broken.length > 0) throw new Error(broken.join('; '));
};

export type Machine = ReturnType<typeof machineOn>;

export const machineOn = ({ slots, ledger, floor, known, contentOf, windowBytes, ...parts }: MachineParts) => {
  let { running } = parts;
  const control = parts.control(async () => ok(running));
  /** I2: what is written does not run and may not be started. */
  const guardedSlots: Slots = {
    async open(slot, access) {
      const opened = unwrap(await slots.open(slot, access));
      return ok({
        ...opened,
        async write(offsetBytes, bytes) {
          const state = await control.read();
          if (slot === running.slot) throw new Error(`I2: ${slot} is written while it runs`);
          if (state.ok && state.value.slots[slot].state !== 'unbootable')
            throw new Error(`I2: ${slot} is written while it may be started`);
          return opened.write(offsetBytes, bytes);
        },
      });
    },
  };
  const verifyArm = (envelope: Uint8Array): Result<ReleaseFacts> => {
    const found = known.find((release) => Buffer.compare(release.envelope, envelope) === 0);
    return found === undefined ? deny('integrity', 'signature-invalid') : ok(found.facts);
  };
  /** A new life of the programs: nothing but the media is kept. */
  const programs = () => {
    const keeper = slotKeeper(control, ledger);
    return {
      keeper,
      installer: installer({ slots: guardedSlots, keeper, floor, windowBytes }),
      switch: slotSwitch({ keeper, floor, verifyArm }),
    };
  };
  let alive = programs();
  let seen: SlotsView | undefined;
  return {
    ...{ slots: guardedSlots, ledger, floor, control, contentOf },
    /** Look at the slots; invariants hold, and nothing moved but along the table since the last look. */
    async look(): Promise<Result<SlotsView>> {
      const view = await alive.switch.status();
      if (!view.ok) return view;
      expectNone(brokenInvariants(view.value, unwrap(await floor.read())));
      if (seen !== undefined) expectNone(brokenByStep(seen, view.value));
      seen = view.value;
      return view;
    },
    get hands() {
      return alive;
    },
    get running() {
      return running;
    },
    setRunning: (slot: RunningSlot) => {
      running = slot;
    },
    /** The boot loader chooses, dm-verity opens what it chose. @returns the slot that runs, or that none does */
    async restart(): Promise<Result<SlotName>> {
      const chosen = await parts.chooseSlot();
      if (!chosen.ok) return chosen;
      const content = contentOf(chosen.value);
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

/** Ports wrapped to fail. */
export interface Faulty {
  readonly known?: readonly TestRelease[];
  readonly slots?: (slots: Slots) => Slots;
  readonly control?: (control: BootControl) => BootControl;
  readonly floor?: (floor: Floor) => Floor;
}
const same = <T>(port: T): T => port;

export type MemoryMachine = Awaited<ReturnType<typeof newMachine>>;

/** Both slots hold the old release: a is committed and runs, b is its fallback, as after an earlier update. */
export const newMachine = async (faulty: Faulty = {}) => {
  const { known = releases, slots: wrapSlots = same, control: wrapControl = same, floor: wrapFloor = same } = faulty;
  const power = memoryPower();
  const medium = (sizeBytes: number) => memoryBlockDevice(sizeBytes, power);
  const media = { a: medium(slotBytes), b: medium(slotBytes), journal: medium(twinRecordBytes), boot: medium(twinRecordBytes) };
  const boot = bootRecordStore(media.boot);
  const ledger = ledgerStore(media.journal);
  for (const slot of slotNames) media[slot].load(oldRelease.slotContent);
  unwrap(await provisionFallback(boot, ledger));
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
  const machine = machineOn({
    ...{ ledger, floor, known, windowBytes: segmentBytesOfWindow },
    slots: wrapSlots(memorySlots(media)),
    control: (running) => wrapControl(recordedBootControl(boot, running)),
    chooseSlot: () => chooseSlot(boot),
    contentOf: (slot) => releaseIn(media[slot].durable(), known),
    running: { slot: 'a', verityRoot: oldRelease.facts.verityRoot },
  });
  return Object.assign(machine, { power, media, boot });
};

/** The factory's record, and the old release as the fallback in slot b. */
const provisionFallback = async (boot: ReturnType<typeof bootRecordStore>, ledger: LedgerStore): Promise<Result<void>> => {
  unwrap(await provisionSlots(boot, ledger, oldRelease.facts));
  const { a } = unwrap(await ledger.read());
  unwrap(await ledger.write({ a, b: a }));
  return recordedBootControl(boot, async () => deny('unavailable', 'not-supported')).markFallback('b');
};

const releaseIn = (slot: Uint8Array, known: readonly TestRelease[]): TestRelease | undefined =>
  known.find(({ slotContent: content }) => Buffer.compare(slot.subarray(0, content.length), content) === 0);
