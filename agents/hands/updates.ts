/**
 * Updates at the hands: installer, switch and floor of `ota-client`, put behind the ports of the door.
 *
 * The mind says what it wants, never what is true: which release it is, how large and with which hash tree comes out of
 * the signed statement alone, verified here with keys that the hands were started with (SR-01).
 */
import { equalBytes } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { BootControl } from '#hal/ports/boot-control';
import type { Clock } from '#hal/ports/clock';
import { otherSlot, type SlotDevice, type SlotName, type Slots } from '#hal/ports/slots';
import type {
  RunningSystem,
  SlotReading,
  SlotStarter,
  SlotWriter,
  TakenSegment,
  UpdatePorts,
  WriteBegun,
  WriteOrder,
} from '#hal/ports/updater';
import { raiseFloor } from '#ota-client/apply/floor';
import { type Begun, installer } from '#ota-client/apply/installer';
import { slotSwitch } from '#ota-client/apply/switch';
import { blockBytes, maxDictionaryBytes, segmentBytes } from '#ota-client/payload/limits';
import { sha256 } from '#ota-client/payload/segment-index';
import type { Floor } from '#ota-client/plan/floor';
import { slotKeeper } from '#ota-client/slots/keeper';
import { isSameRelease, type LedgerStore } from '#ota-client/slots/ledger';
import { openStatement, type ReleasePolicy, type ReleaseStatement } from '#ota-client/slots/statement';
import type { SlotView } from '#ota-client/slots/view';
import type { LogOfReleases } from './log-of-releases.ts';

export interface UpdateParts {
  readonly slots: Slots;
  readonly boot: BootControl;
  readonly ledger: LedgerStore;
  readonly floor: Floor;
  /** Whose releases these hands write, fixed when they start; a statement must satisfy one of them. */
  readonly policies: readonly WrittenPolicy[];
  /** Of releases: what is not in it is not written where that is required. */
  readonly log: LogOfReleases;
  readonly clock: Clock;
  /** A committed release runs so long before the floor may rise to its own. */
  readonly soakMs: number;
  readonly probes: readonly HealthProbe[];
  /** As in `installer`. */
  readonly windowBytes?: number;
}

export interface WrittenPolicy extends ReleasePolicy {
  /** Written whatever the log says (SR-12). */
  readonly isRepair: boolean;
}

/** What the hands can find out of themselves. */
export interface HealthProbe {
  /** A slug. */
  readonly name: string;
  readonly run: () => Promise<boolean>;
}

/** An owner that was silent so long has lost its install to whoever comes next: a mind that restarted as somebody else. */
const idleOwnerMs = 10 * 60_000;

export const slotUpdates = (parts: UpdateParts): UpdatePorts => {
  const { slots, boot, ledger, floor, policies, log, clock, soakMs, probes, windowBytes } = parts;
  const keeper = slotKeeper(boot, ledger);
  const writer = installer({ slots, keeper, floor, ...(windowBytes === undefined ? {} : { windowBytes }) });
  const open = (envelope: Uint8Array) => openByAny(policies, envelope);
  const verifyArm = (envelope: Uint8Array) => {
    const opened = open(envelope);
    return opened.ok ? ok(opened.value.statement.release) : opened;
  };
  const starter = slotSwitch({ keeper, floor, verifyArm });
  const running = runningSystem(boot, slots, probes);
  return {
    slotWriter: slotWriter(writer, running, { open, log }, clock),
    slotStarter: slotStarter(starter, { ...parts, keeper, verifyArm, soakMs }),
    runningSystem: running,
  };
};

interface OpenedRelease {
  readonly statement: ReleaseStatement;
  readonly isRepair: boolean;
}

/** @returns the statement, or why the first policy, that of ordinary releases, refuses it */
const openByAny = (policies: readonly WrittenPolicy[], envelope: Uint8Array): Result<OpenedRelease> => {
  const opened = policies.map((policy): Result<OpenedRelease> => {
    const statement = openStatement(policy, envelope);
    return statement.ok ? ok({ statement: statement.value, isRepair: policy.isRepair }) : statement;
  });
  return opened.find(({ ok: isOpen }) => isOpen) ?? opened[0] ?? deny('integrity', 'signature-missing', 'no release key');
};

type Writer = ReturnType<typeof installer>;
type Starter = ReturnType<typeof slotSwitch>;

interface Verifying {
  readonly open: (envelope: Uint8Array) => Result<OpenedRelease>;
  readonly log: LogOfReleases;
}

const slotWriter = (writer: Writer, running: Pick<RunningSystem, 'read'>, { open, log }: Verifying, clock: Clock): SlotWriter => {
  let owner: string | undefined;
  let usedMs = clock.bootMs();
  const owned = async <T>(asking: string, work: () => Promise<Result<T>>): Promise<Result<T>> => {
    if (owner === undefined) return deny('protocol', 'event-refused', 'no install has begun');
    if (asking !== owner) return deny('resource', 'update-busy', owner);
    usedMs = clock.bootMs();
    return work();
  };
  const begin = async (order: WriteOrder): Promise<Result<WriteBegun>> => {
    const opened = open(order.statement);
    if (!opened.ok) return opened;
    const { statement, isRepair } = opened.value;
    const standing = log.judge(statement.release.digest, isRepair, order.proof);
    if (!standing.ok) return standing;
    if (owner !== undefined && owner !== order.owner && clock.bootMs() - usedMs > idleOwnerMs) await writer.abandon(owner);
    const begun = await writer.begin({ ...statement, owner: order.owner, isForced: order.isForced });
    if (!begun.ok) return begun;
    const noted = log.note(begun.value.slot, statement.release.digest, standing.value);
    if (!noted.ok) return noted;
    owner = order.owner;
    usedMs = clock.bootMs();
    return ok(begunOf(begun.value));
  };
  return {
    begin,
    write: (asking, segment, bytes) => owned(asking, () => writer.write(segment, bytes)),
    take: (asking, segment, wanted) => owned(asking, () => takeInto(writer, running, segment, wanted)),
    flush: (asking) => owned(asking, () => writer.flushWindow()),
    async finish(asking) {
      const finished = await owned(asking, () => writer.finish());
      if (finished.ok) owner = undefined;
      return finished;
    },
    async abandon(asking) {
      if (asking !== owner) return done;
      owner = undefined;
      await writer.abandon(asking);
      return done;
    },
  };
};

/**
 * What is copied within the device does not go by way of the mind: it says which blocks and which hash, and nothing is
 * written that has another. The whole slot is read back later all the same.
 */
const takeInto = async (
  writer: Writer,
  running: Pick<RunningSystem, 'read'>,
  first: number,
  wanted: readonly TakenSegment[],
): Promise<Result<number>> => {
  const memory = new Uint8Array(segmentBytes);
  for (const [at, { digest, ranges }] of wanted.entries()) {
    const bytes = await gathered(running, ranges, memory);
    if (bytes === undefined || !equalBytes(sha256(bytes), digest)) return ok(at);
    const written = await writer.write(first + at, bytes);
    if (!written.ok) return written;
  }
  return ok(wanted.length);
};

/** @returns nothing where the blocks cannot be read, or are more than a segment */
const gathered = async (
  running: Pick<RunningSystem, 'read'>,
  ranges: TakenSegment['ranges'],
  memory: Uint8Array,
): Promise<Uint8Array | undefined> => {
  if (ranges.length === 0) return zeros;
  const lengthBytes = ranges.reduce((total, { blocks }) => total + blocks * blockBytes, 0);
  if (lengthBytes > segmentBytes) return undefined;
  let used = 0;
  for (const { block, blocks } of ranges) {
    const place = memory.subarray(used, used + blocks * blockBytes);
    const read = await running.read(block * blockBytes, blocks * blockBytes, place);
    if (!read.ok) return undefined;
    if (read.value.buffer !== memory.buffer) place.set(read.value);
    used += place.length;
  }
  return memory.subarray(0, used);
};
const zeros = new Uint8Array(segmentBytes);

const begunOf = ({ slot, stage, writtenSegments, segments, recheck }: Begun): WriteBegun => ({
  ...{ slot, stage, writtenSegments, segments },
  ...recheck,
});

interface StarterParts extends Pick<UpdateParts, 'slots' | 'floor' | 'clock' | 'soakMs' | 'log'> {
  readonly keeper: ReturnType<typeof slotKeeper>;
  readonly verifyArm: (envelope: Uint8Array) => ReturnType<Parameters<typeof slotSwitch>[0]['verifyArm']>;
}

const slotStarter = (starter: Starter, { slots, floor, clock, soakMs, log, keeper, verifyArm }: StarterParts): SlotStarter => {
  /** Of this life of the hands alone: a restart lets it soak anew, which is later and never earlier. */
  let soakingSinceMs = clock.bootMs();
  return {
    arm: (statement) => starter.arm(statement),
    async commit() {
      const committed = await starter.commit();
      if (committed.ok) soakingSinceMs = clock.bootMs();
      return committed;
    },
    giveUp: (reason) => starter.giveUp(reason),
    async raiseFloor(statement) {
      const named = await verifyArm(statement);
      if (!named.ok) return named;
      const view = await starter.status();
      if (!view.ok) return view;
      const { running, slots: views } = view.value;
      if (!isSameRelease(views[running.slot].release, named.value))
        return deny('integrity', 'slot-mismatch', `slot ${running.slot} runs another release`);
      return raiseFloor(keeper, floor, { soakedMs: clock.bootMs() - soakingSinceMs, neededMs: soakMs });
    },
    async status() {
      const view = await starter.status();
      if (!view.ok) return view;
      const floorEpoch = await floor.read();
      if (!floorEpoch.ok) return floorEpoch;
      const { running, slots: views } = view.value;
      const slotBytes = await sizeOf(slots, otherSlot(running.slot));
      if (!slotBytes.ok) return slotBytes;
      return ok({
        ...{ running: running.slot, runningRoot: running.verityRoot },
        ...{ a: readingOf(views.a, log.noted('a', views.a.release)), b: readingOf(views.b, log.noted('b', views.b.release)) },
        ...{ floorEpoch: floorEpoch.value, slotBytes: slotBytes.value },
      });
    },
  };
};

const sizeOf = async (slots: Slots, slot: SlotName): Promise<Result<number>> => {
  const device = await slots.open(slot, 'read');
  if (!device.ok) return device;
  await device.value.close();
  return ok(device.value.sizeBytes);
};

const readingOf = ({ reason, ...view }: SlotView, log: string | undefined): SlotReading => ({
  ...view,
  ...(reason === '' ? {} : { reason }),
  ...(log === undefined ? {} : { log }),
});

/** Limit: read as it lies in the slot, without dm-verity in between; whoever reads checks what comes of it. */
const runningSystem = (boot: BootControl, slots: Slots, probes: readonly HealthProbe[]): RunningSystem => {
  let device: SlotDevice | undefined;
  const open = async (): Promise<Result<SlotDevice>> => {
    if (device !== undefined) return ok(device);
    const state = await boot.read();
    if (!state.ok) return state;
    const opened = await slots.open(state.value.running.slot, 'read');
    if (opened.ok) device = opened.value;
    return opened;
  };
  return {
    async read(offsetBytes, lengthBytes, into) {
      if (lengthBytes > maxDictionaryBytes) return deny('protocol', 'field-invalid', `${lengthBytes} bytes at once`);
      const running = await open();
      return running.ok ? running.value.read(offsetBytes, lengthBytes, into) : running;
    },
    health: async () =>
      ok(await Promise.all(probes.map(async ({ name, run }) => ({ name, hasPassed: await run().catch(() => false) })))),
  };
};
