/** Step 8: release 2 comes in ranges through mouth and mind to the hands, into the slot that does not run; killed on the way, it goes on. */
import { codeOf, type Fault } from '#hal/core/result';
import type { World } from '#sim/world/world';
import { faultOf, faultOfCode, textOf } from './outcome.ts';
import { signIn } from './person.ts';
import { refused, type Scenario, seen } from './scenario.ts';

export interface ShownSlots {
  readonly running: 'a' | 'b';
  readonly a: ShownSlot;
  readonly b: ShownSlot;
}

interface ShownSlot {
  readonly state: string;
  readonly reason?: string;
  readonly release?: { readonly counter: number };
}

export const slotsOf = async ({ device }: World): Promise<ShownSlots> =>
  (await device.enigmctl('update', 'status')).json as unknown as ShownSlots;

/** The counter of the next release, so that a day on an existing device has its own. */
export const nextCounter = async (world: World): Promise<number> => {
  const { a, b } = await slotsOf(world);
  return Math.max(a.release?.counter ?? 0, b.release?.counter ?? 0) + 1;
};

/** Restarts as a person would, and waits for the trial to end. */
export const restart = async (world: World): Promise<void> => {
  const { device, until } = world;
  await signIn(world, device);
  const boot = device.bootId();
  await device.enigmctl('reboot', '--cause', 'update');
  await until('the device restarted', () => device.bootId() !== boot, 30_000);
  await device.answers();
};

export const update: Scenario = {
  step: 'update',
  title:
    'a release comes through mouth and mind to the hands, into the other slot; killed on the way it goes on; its trial is kept',
  async run(world) {
    const { device, updates, until, fate } = world;
    const { releases } = updates;
    const before = await slotsOf(world);
    const counter = await nextCounter(world);
    const built = await releases.build({ id: `release-${counter}`, counter });
    if (!built.ok)
      return built.fault.reason === 'not-supported' ? seen({ skipped: 'no tool for images here' }) : refused(built.fault);
    world.knowRelease({ id: `release-${counter}`, facts: built.value.facts });
    if (fate.isUnhealthy) device.breakHealth(built.value.facts.verityRoot);
    const published = await releases.publish(built.value, fate.permille);
    if (!published.ok) return refused(published.fault);

    if (fate.permille === 0) return refused(faultOfCode(await offerCode(world)));
    device.feed({ isOnMains: false, batteryPercent: 8, isHot: false });
    const whenEmpty = faultOf(await device.enigmctl('update', 'install'));
    if (whenEmpty === undefined) return refused({ ...notRefused, detail: 'installed on an empty battery' });
    if (fate.isEmpty || fate.isUnlogged) return refused(whenEmpty);
    device.feed({ isOnMains: true, batteryPercent: 9, isHot: false });
    const killedAt = await installUntilKilled(world);
    const installed = await device.enigmctl('update', 'install');
    const fault = faultOf(installed);
    if (fault !== undefined) return refused(fault);
    if (fate.rotsBeforeTrial) await rot(world, before.running === 'a' ? 'b' : 'a');
    else await restart(world);
    await until('the trial is over', async () => isSettled(await slotsOf(world)), 60_000);
    const after = await slotsOf(world);
    const left = after[after.running === 'a' ? 'b' : 'a'];
    if (left.state === 'failed') return refused({ category: 'policy', reason: 'release-failed', detail: left.reason ?? '' });
    const attested = await device.enigmctl('attest', 'now');
    const notAttested = faultOf(attested);
    if (notAttested !== undefined) return refused(notAttested);
    if (after.running === before.running) return refused(faultOfCode('integrity/slot-mismatch'));
    return seen({
      slots: `${before.running} → ${after.running}`,
      release: after[after.running].release?.counter ?? 0,
      image: `${built.value.image.length} bytes`,
      whenEmpty: codeOf(whenEmpty),
      killedAt,
      outcome: textOf(installed.json, 'outcome'),
      trial: stateOfRunning(after),
      attestation: textOf(attested.json, 'status'),
    });
  },
};

/** The slot that runs is kept, and the other one waits for no trial. */
const isSettled = (slots: ShownSlots): boolean =>
  stateOfRunning(slots) === 'committed' && slots[slots.running === 'a' ? 'b' : 'a'].state !== 'trial';

/** The battery goes, and a bit of the slot that was to start next with it. */
const rot = async ({ device }: World, slot: 'a' | 'b'): Promise<void> => {
  await device.powerCut();
  device.flipBit(slot, 4096);
  await device.powerOn();
  await device.answers();
};

/** What a device is told that was not drawn. */
const offerCode = async ({ device }: World): Promise<string> => {
  const offered = await device.enigmctl('update', 'check');
  return offered.json['release'] === undefined ? 'policy/target-missing' : 'integrity/director-mismatch';
};

/** Unknown while the device restarts. */
export const stateOfRunning = (slots: ShownSlots): string => slots[slots.running]?.state ?? 'unknown';

/** Something was done that should have been refused. */
const notRefused: Fault = { category: 'protocol', reason: 'event-refused' };

/** Starts an install and kills the mind in the middle of it. */
const installUntilKilled = async (world: World): Promise<string> => {
  const { device, until } = world;
  const cut = device.enigmctl('update', 'install');
  let segment = 0;
  await until(
    'some of it is written',
    async () => {
      const status = await device.app.call('update.status', {});
      segment = status.ok ? (status.value.progress?.writtenSegments ?? 0) : segment;
      return segment > 2;
    },
    20_000,
  );
  device.kill('agentd');
  await cut;
  await until('the mind is back', async () => (await device.app.call('update.status', {})).ok, 20_000);
  return `segment ${segment}`;
};
