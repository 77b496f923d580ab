/** Slots of a running device, spoken to as the mind speaks to them, while the battery is taken out again and again. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { policyDigest } from '#agents/decision/policy';
import { socketPath } from '#agents/programs/layout';
import { type Perform, readSituation, remoteInstaller, remoteSwitch } from '#agents/update/remote-installer';
import { equalBytes, toHex } from '#hal/core/bytes';
import { mintPermit } from '#hal/core/permit';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { seededRandom } from '#hal/memory/random';
import { type RemoteHands, remoteHands } from '#hal/remote/hands-client';
import { handsMethods } from '#hal/remote/hands-methods';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';
import type { Begun } from '#ota-client/apply/installer';
import { segmentBytes, segmentCount } from '#ota-client/payload/limits';
import { sha256 } from '#ota-client/payload/segment-index';
import { brokenByStep, brokenInvariants } from '#ota-client/slots/invariants';
import type { SlotsView } from '#ota-client/slots/view';
import type { BuiltPlan } from '#sim/peers/releases';
import { openTestWorld, type TestWorld } from './device.fixture.ts';

const clock = linuxClock();
const seed = 'power cuts of a day';
const writeCuts = 12;
/** As the hands of the simulator are told. */
const windowSegments = 4;
const code = (result: Result<unknown>): string => (result.ok ? 'done' : codeOf(result.fault));

describe(`slots of a running device (seed "${seed}")`, () => {
  const random = seededRandom(seed);
  const below = (limit: number): number => (random.bytes(1)[0] ?? 0) % limit;
  let opened: TestWorld;
  let client: SocketClient<typeof handsMethods>;
  let hands: RemoteHands;
  let release: BuiltPlan;
  let seen: SlotsView | undefined;
  beforeAll(async () => {
    opened = await openTestWorld('embedded');
    client = socketClient(handsMethods, socketPath(opened.world.machine.runDirectory, 'hands'));
    hands = remoteHands(client);
    release = await build(2);
    await powerOn();
  });
  afterAll(async () => {
    client?.close();
    await opened?.[Symbol.asyncDispose]();
  });

  const build = async (counter: number) =>
    unwrap(await opened.world.updates.releases.build({ id: `release-${counter}`, counter, floorEpoch: 1 }));
  /** The device's own mind does not meddle. */
  const powerOn = async () => {
    const { device, until } = opened.world;
    await device.powerCut();
    await device.powerOn();
    device.pause('agentd');
    await until('the hands answer', async () => (await hands.hello()).ok);
  };
  /** The battery is taken out while this is under way, a moment after it has come so far. */
  const cutDuring = async (work: Promise<unknown>, soFar?: Promise<unknown>) => {
    await soFar;
    await clock.sleep(below(8), new AbortController().signal);
    await opened.world.device.powerCut();
    await work;
    await powerOn();
  };
  const perform: Perform = async (call) => {
    const hello = await hands.hello();
    if (!hello.ok) return hello;
    const { permitKey, bootId, lastSequence } = hello.value;
    const context = { bootId, sequence: lastSequence + 1, notAfterBootMs: clock.bootMs() + 30_000 };
    return call.run(mintPermit(permitKey, { ...call, ...context, policyDigest, auditLeaf: new Uint8Array(32) }));
  };
  /** A good slot is there, and nothing moved but along the table. */
  const look = async (): Promise<SlotsView> => {
    const { view, floorEpoch } = unwrap(await readSituation(hands));
    expect(brokenInvariants(view, floorEpoch)).toEqual([]);
    if (seen !== undefined) expect(brokenByStep(seen, view)).toEqual([]);
    seen = view;
    return view;
  };
  const states = async () => {
    const { running, slots } = await look();
    return `${running.slot} ${slots.a.state} ${slots.b.state}`;
  };
  const installer = (wanted: BuiltPlan) => remoteInstaller(hands, perform, 'mind', wanted.statement);
  const begin = (wanted: BuiltPlan) =>
    installer(wanted).begin({ release: wanted.facts, salt: wanted.salt, uuid: wanted.uuid, owner: 'mind', isForced: false });
  const segmentOf = ({ image }: BuiltPlan, segment: number) =>
    image.subarray(segment * segmentBytes, (segment + 1) * segmentBytes);
  const expectWritten = (wanted: BuiltPlan, { writtenSegments, recheck }: Begun) => {
    for (let segment = recheck.firstSegment; segment < writtenSegments; segment += 1) {
      const at = (segment - recheck.firstSegment) * 32;
      expect(equalBytes(recheck.digests.subarray(at, at + 32), sha256(segmentOf(wanted, segment)))).toBe(true);
    }
  };
  const writeAll = async (wanted: BuiltPlan) => {
    const begun = unwrap(await begin(wanted));
    const { segments, stage } = begun;
    if (stage !== 'write') return;
    for (let segment = begun.writtenSegments; segment < segments; segment += 1)
      unwrap(await installer(wanted).write(segment, segmentOf(wanted, segment)));
  };

  test('a power cut at any moment of an install repeats at most one window, and leaves a good slot', async () => {
    const segments = segmentCount(release.image.length);
    let acknowledged = 0;
    let repeated = 0;
    for (let cut = 0; cut < writeCuts; cut += 1) {
      const begun = unwrap(await begin(release));
      expectWritten(release, begun);
      expect(acknowledged - begun.writtenSegments).toBeLessThanOrEqual(windowSegments);
      repeated += Math.max(0, acknowledged - begun.writtenSegments);
      const last = Math.min(segments - 1, begun.writtenSegments + 1 + below(windowSegments));
      const writes = Array.from({ length: last - begun.writtenSegments + 1 }, async (_, at) => {
        const segment = begun.writtenSegments + at;
        const written = await installer(release).write(segment, segmentOf(release, segment));
        if (written.ok) acknowledged = Math.max(acknowledged, segment + 1);
      });
      await cutDuring(Promise.all(writes), writes[below(writes.length)]);
      expect(await states()).toBe('a committed writing');
    }
    // The cuts fell into the work, and the work went on over them.
    expect(repeated).toBeGreaterThan(0);
    expect(acknowledged).toBeGreaterThan(windowSegments);
    await writeAll(release);
    await cutDuring(installer(release).finish());
    expect(await states()).toMatch(/^a committed (?:writing|verified)$/);
    await writeAll(release);
    await installer(release).finish();
    expect(await states()).toBe('a committed verified');
  });

  test('a power cut while a slot is armed or committed leaves the old word or the new one', async () => {
    const { arm, commit } = remoteSwitch(hands, perform);
    await cutDuring(arm(release.statement));
    if ((await states()) === 'a committed verified') {
      unwrap(await arm(release.statement));
      await powerOn();
    }
    expect(await states()).toBe('b committed trial');
    await cutDuring(commit());
    expect(await states()).toMatch(/^b (?:committed trial|superseded committed)$/);
    unwrap(await commit());
    expect(await states()).toBe('b superseded committed');
    const { running } = await look();
    expect(toHex(running.verityRoot)).toBe(toHex(release.facts.verityRoot));
  });

  test('a release that is unwell on its trial is given up, and the next start is the one before', async () => {
    const ill = await build(3);
    await writeAll(ill);
    unwrap(await installer(ill).finish());
    unwrap(await remoteSwitch(hands, perform).arm(ill.statement));
    opened.world.device.breakHealth(ill.facts.verityRoot);
    expect(unwrap(await hands.updates.health())).toEqual([{ name: 'storage-writable', hasPassed: true }]);
    await powerOn();
    expect(await states()).toBe('a trial committed');
    expect(unwrap(await hands.updates.health())).toEqual([{ name: 'storage-writable', hasPassed: false }]);
    unwrap(await remoteSwitch(hands, perform).giveUp('storage-writable'));
    await powerOn();
    expect(await states()).toBe('b failed committed');
    expect(code(await begin(ill))).toBe('policy/release-failed');
  });

  test('a bit that rots after arming costs the trial its tries and nobody his device', async () => {
    const rotten = await build(4);
    await writeAll(rotten);
    unwrap(await installer(rotten).finish());
    unwrap(await remoteSwitch(hands, perform).arm(rotten.statement));
    opened.world.device.flipBit('a', rotten.image.length >> 1);
    await powerOn();
    expect(await states()).toBe('b failed committed');
    expect(unwrap(await readSituation(hands)).view.slots.a.reason).toBe('tries-exhausted');
  });

  test('a machine without a slot that starts is dead, does not try again, and comes back when one does', async () => {
    const { device, machine, until } = opened.world;
    const middle = release.image.length >> 1;
    await device.powerCut();
    device.flipBit('b', middle);
    await device.powerOn();
    await until('it is dead', () => device.isDead());
    expect([machine.isOn(), machine.status()]).toEqual([false, []]);
    device.flipBit('b', middle);
    await powerOn();
    expect(await states()).toBe('b failed committed');
    expect(device.isDead()).toBe(false);
  });
});
