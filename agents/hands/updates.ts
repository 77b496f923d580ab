/**
 * Updates at the hands: installer, switch and floor of `ota-client`, put behind the ports of the door.
 *
 * The mind says what it wants, never what is true: which release it is, how large and with which hash tree comes out of
 * the signed statement alone, verified here with keys that the hands were started with (SR-01).
 */
import { equalBytes } from '#hal/core/bytes';
import { codeOf, deny, done, ok, type Result } from '#hal/core/result';
import type { BootControl } from '#hal/ports/boot-control';
import type { Clock } from '#hal/ports/clock';
import { otherSlot, type SlotDevice, type SlotName, type Slots } from '#hal/ports/slots';
import type {
  RunningSystem,
  SlotReading,
  SlotStarter,
  SlotWriter,
  UpdatePorts,
  WriteBegun,
  WriteOrder,
} from '#hal/ports/updater';
import { raiseFloor } from '#ota-client/apply/floor';
import { type Begun, defaultWindowBytes, installer } from '#ota-client/apply/installer';
import { slotSwitch } from '#ota-client/apply/switch';
import { type Take, taker } from '#ota-client/apply/take';
import { maxDictionaryBytes } from '#ota-client/payload/limits';
import { type BlockDigests, saltedDigests } from '#ota-client/payload/verity';
import type { Floor } from '#ota-client/plan/floor';
import { slotKeeper } from '#ota-client/slots/keeper';
import { isSameRelease, type LedgerStore, type ReleaseFacts } from '#ota-client/slots/ledger';
import { openStatement, type ReleasePolicy, type ReleaseStatement } from '#ota-client/slots/statement';
import type { SlotView } from '#ota-client/slots/view';
import type { KeptStatements } from './kept-statements.ts';
import type { LogOfReleases } from './log-of-releases.ts';

export interface UpdateParts {
  readonly slots: Slots;
  readonly boot: BootControl;
  readonly ledger: LedgerStore;
  readonly floor: Floor;
  readonly statements: KeptStatements;
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
  readonly digestsFor?: (salt: Uint8Array) => BlockDigests;
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
  const { slots, boot, ledger, floor, statements, policies, log, clock, soakMs, probes } = parts;
  const { windowBytes = defaultWindowBytes, digestsFor = saltedDigests } = parts;
  const keeper = slotKeeper(boot, ledger);
  const writer = installer({ slots, keeper, floor, windowBytes, digestsFor });
  const open = (envelope: Uint8Array) => openByAny(policies, envelope);
  const verifyArm = (envelope: Uint8Array) => {
    const opened = open(envelope);
    return opened.ok ? ok(opened.value.statement.release) : opened;
  };
  const starter = slotSwitch({ keeper, floor, verifyArm });
  const running = runningSlot(boot, slots);
  return {
    slotWriter: slotWriter({ writer, take: taker(writer, running, windowBytes), open, clock, statements, log }),
    slotStarter: slotStarter(starter, { ...parts, keeper, verifyArm, soakMs }),
    runningSystem: runningSystem(running, probes),
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

interface WriterParts extends Pick<UpdateParts, 'clock' | 'statements' | 'log'> {
  readonly writer: Writer;
  readonly take: Take;
  readonly open: (envelope: Uint8Array) => Result<OpenedRelease>;
}

const slotWriter = ({ writer, take, open, clock, statements, log }: WriterParts): SlotWriter => {
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
    const kept = statements.keep(begun.value.slot, order.statement);
    if (!kept.ok) return kept;
    const noted = log.note(begun.value.slot, statement.release.digest, standing.value);
    if (!noted.ok) return noted;
    owner = order.owner;
    usedMs = clock.bootMs();
    return ok(begunOf(begun.value));
  };
  return {
    begin,
    write: (asking, segment, bytes) => owned(asking, () => writer.write(segment, bytes)),
    take: (asking, segment, wanted) => owned(asking, () => take(segment, wanted)),
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

const begunOf = ({ slot, stage, writtenSegments, segments, recheck }: Begun): WriteBegun => ({
  ...{ slot, stage, writtenSegments, segments },
  ...recheck,
});

interface StarterParts extends Pick<UpdateParts, 'slots' | 'floor' | 'statements' | 'clock' | 'soakMs' | 'log'> {
  readonly keeper: ReturnType<typeof slotKeeper>;
  readonly verifyArm: (envelope: Uint8Array) => ReturnType<Parameters<typeof slotSwitch>[0]['verifyArm']>;
}

const slotStarter = (starter: Starter, parts: StarterParts): SlotStarter => {
  const { slots, floor, statements, clock, soakMs, log, keeper, verifyArm } = parts;
  /** The envelope of a release that was kept, opened again now. */
  const keptOf = async (
    digest: Uint8Array,
  ): Promise<Result<{ readonly envelope: Uint8Array; readonly release: ReleaseFacts }>> => {
    const kept = statements.all();
    if (!kept.ok) return kept;
    for (const envelope of kept.value) {
      const named = await verifyArm(envelope);
      if (named.ok && equalBytes(named.value.digest, digest)) return ok({ envelope, release: named.value });
    }
    return deny('unavailable', 'statement-missing');
  };
  /** Of this life of the hands alone: a restart lets it soak anew, which is later and never earlier. */
  let soakingSinceMs = clock.bootMs();
  return {
    arm: (statement) => starter.arm(statement),
    async commit() {
      const committed = await starter.commit();
      if (committed.ok) soakingSinceMs = clock.bootMs();
      return committed;
    },
    async rollBack(digest) {
      const kept = await keptOf(digest);
      return kept.ok ? starter.goBack(kept.value.envelope) : kept;
    },
    giveUp: (reason) => starter.giveUp(reason),
    async raiseFloor(digest) {
      const kept = await keptOf(digest);
      if (!kept.ok) return kept;
      const view = await starter.status();
      if (!view.ok) return view;
      const { running, slots: views } = view.value;
      if (!isSameRelease(views[running.slot].release, kept.value.release))
        return deny('integrity', 'slot-mismatch', `slot ${running.slot} runs another release`);
      return raiseFloor(keeper, floor, { soakedMs: clock.bootMs() - soakingSinceMs, neededMs: soakMs });
    },
    async status() {
      const view = await starter.status();
      if (!view.ok) return view;
      const epoch = await floor.read();
      const { running, slots: views } = view.value;
      const slotBytes = await sizeOf(slots, otherSlot(running.slot));
      if (!slotBytes.ok) return slotBytes;
      return ok({
        ...{ running: running.slot, runningRoot: running.verityRoot },
        ...{ a: readingOf(views.a, log.noted('a', views.a.release)), b: readingOf(views.b, log.noted('b', views.b.release)) },
        ...(epoch.ok ? { floorEpoch: epoch.value } : { floorFault: codeOf(epoch.fault) }),
        slotBytes: slotBytes.value,
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
const runningSlot = (boot: BootControl, slots: Slots): Pick<RunningSystem, 'read'> => {
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
      const running = await open();
      return running.ok ? running.value.read(offsetBytes, lengthBytes, into) : running;
    },
  };
};

const runningSystem = (running: Pick<RunningSystem, 'read'>, probes: readonly HealthProbe[]): RunningSystem => ({
  async read(offsetBytes, lengthBytes, into) {
    if (lengthBytes > maxDictionaryBytes) return deny('protocol', 'field-invalid', `${lengthBytes} bytes at once`);
    return running.read(offsetBytes, lengthBytes, into);
  },
  health: async () =>
    ok(await Promise.all(probes.map(async ({ name, run }) => ({ name, hasPassed: await run().catch(() => false) })))),
});
