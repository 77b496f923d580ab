/** Slots of a running device, spoken to as the mind speaks to them: releases and media that are not as they should be. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { policyDigest } from '#agents/decision/policy';
import { socketPath } from '#agents/programs/layout';
import { type Perform, readSituation, remoteInstaller, remoteSwitch } from '#agents/update/remote-installer';
import { mintPermit } from '#hal/core/permit';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { type RemoteHands, remoteHands } from '#hal/remote/hands-client';
import { handsMethods } from '#hal/remote/hands-methods';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';
import { segmentBytes } from '#ota-client/payload/limits';
import { brokenByStep, brokenInvariants } from '#ota-client/slots/invariants';
import type { SlotsView } from '#ota-client/slots/view';
import { proofPath } from '#ota-client/transparency/entry';
import type { BuiltPlan } from '#sim/peers/release-plans';
import { makeReady, openTestWorld, type TestWorld } from './device.fixture.ts';

const clock = linuxClock();
const code = (result: Result<unknown>): string => (result.ok ? 'done' : codeOf(result.fault));

describe('slots of a running device', () => {
  let opened: TestWorld;
  let client: SocketClient<typeof handsMethods>;
  let hands: RemoteHands;
  let release: BuiltPlan;
  let seen: SlotsView | undefined;
  beforeAll(async () => {
    opened = await openTestWorld('embedded');
    // A device without a floor takes no release.
    await makeReady(opened.world);
    client = socketClient(handsMethods, socketPath(opened.world.machine.runDirectory, 'hands'));
    hands = remoteHands(client);
    release = await build(2);
    await powerOn();
    await installAll(release);
    await powerOn();
    unwrap(await remoteSwitch(hands, perform).commit());
    expect(await states()).toBe('b superseded committed');
  });
  afterAll(async () => {
    client?.close();
    await opened?.[Symbol.asyncDispose]();
  });

  /** Published too: hands write nothing that is not in the log of releases. */
  const build = async (counter: number): Promise<BuiltPlan> => {
    const { releases } = opened.world.updates;
    const id = `release-${counter}`;
    const built = unwrap(await releases.build({ id, counter, floorEpoch: 1 }));
    opened.world.knowRelease({ id, facts: built.facts });
    unwrap(await releases.publish(built));
    return built;
  };
  const proofOf = ({ facts }: BuiltPlan): Uint8Array => {
    const path = proofPath({ kind: 'statement', digest: facts.digest });
    return new Uint8Array(readFileSync(join(opened.directory, 'peers/repository', path)));
  };
  /** The device's own mind does not meddle. */
  const powerOn = async () => {
    const { device, until } = opened.world;
    await device.powerCut();
    await device.powerOn();
    device.pause('agentd');
    await until('the hands answer', async () => (await hands.hello()).ok);
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
    expect(brokenInvariants(view, unwrap(floorEpoch))).toEqual([]);
    if (seen !== undefined) expect(brokenByStep(seen, view)).toEqual([]);
    seen = view;
    return view;
  };
  const states = async () => {
    const { running, slots } = await look();
    return `${running.slot} ${slots.a.state} ${slots.b.state}`;
  };
  const installer = (wanted: BuiltPlan) => remoteInstaller(hands, perform, 'mind', wanted.statement, proofOf(wanted));
  const begin = (wanted: BuiltPlan) =>
    installer(wanted).begin({ release: wanted.facts, salt: wanted.salt, uuid: wanted.uuid, owner: 'mind', isForced: false });
  const segmentOf = ({ image }: BuiltPlan, segment: number) =>
    image.subarray(segment * segmentBytes, (segment + 1) * segmentBytes);
  /** Written, read back and armed: the next start is its trial. */
  const installAll = async (wanted: BuiltPlan) => {
    const { segments } = unwrap(await begin(wanted));
    for (let segment = 0; segment < segments; segment += 1)
      unwrap(await installer(wanted).write(segment, segmentOf(wanted, segment)));
    unwrap(await installer(wanted).finish());
    unwrap(await remoteSwitch(hands, perform).arm(wanted.statement));
  };

  test('a release that is unwell on its trial is given up, and the next start is the one before', async () => {
    const ill = await build(3);
    await installAll(ill);
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
    await installAll(rotten);
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
