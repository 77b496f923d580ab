/** A person over the releases of a running device: keeps a trial, goes back, and goes back no further than the floor. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deviceLayout } from '#agents/programs/layout';
import { parseFloorApprovals } from '#hal/core/floor-approval';
import { codeOf, unwrap } from '#hal/core/result';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import { esysFloor } from '#hal/native/tpm-floor';
import { simulatedLayout, slotFiles } from '#sim/machine/layout';
import type { BuiltPlan } from '#sim/peers/release-plans';
import { faultOf } from '#sim/scenarios/outcome';
import { signIn } from '#sim/scenarios/person';
import { restart, slotsOf } from '#sim/scenarios/update';
import type { CommandOutcome } from '#sim/world/world';
import { makeReady, openTestWorld, type TestWorld } from './device.fixture.ts';

describe('a person over the releases of a running device', () => {
  let opened: TestWorld;
  let release: BuiltPlan;
  beforeAll(async () => {
    opened = await openTestWorld('embedded');
    const { world } = opened;
    await makeReady(world);
    release = unwrap(await world.updates.releases.build({ id: 'release-2', counter: 2, floorEpoch: 1 }));
    world.knowRelease({ id: 'release-2', facts: release.facts });
    unwrap(await world.updates.releases.publish(release));
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());

  const codeIn = (outcome: CommandOutcome): string => {
    const fault = faultOf(outcome);
    return fault === undefined ? 'done' : codeOf(fault);
  };
  const update = (...words: readonly string[]) => opened.world.device.enigmctl('update', ...words);
  const states = async (): Promise<string> => {
    const { running, a, b } = await slotsOf(opened.world);
    return `${running} ${a.state} ${b.state}`;
  };
  const becomes = (wanted: string) => opened.world.until(`slots are ${wanted}`, async () => (await states()) === wanted, 30_000);
  /** The mind of this boot starts anew, with a gate that waits for minutes. */
  const waitLonger = async (): Promise<void> => {
    const { device, machine, until } = opened.world;
    const path = deviceLayout(device.directory).site;
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"trialSeconds":\d+/, '"trialSeconds":300'));
    const lives = () => machine.status().find(({ name }) => name === 'agentd')?.restarts ?? 0;
    const before = lives();
    device.kill('agentd');
    await until('the mind started anew', () => lives() > before);
    await device.answers();
  };
  /** What somebody with the policy key's approvals does to the TPM of a device that is off. */
  const raiseInTpm = async (epoch: number): Promise<void> => {
    const { device } = opened.world;
    await device.powerOff();
    const tpm = { addon: opened.paths.addon, embedded: simulatedLayout(device.directory).tpm };
    await using esys = unwrap(await openSimulatedEsys(tpm));
    await esys.startup(0);
    const approvals = unwrap(parseFloorApprovals(readFileSync(slotFiles(device.directory).floor, 'utf8')));
    unwrap(await esysFloor(esys, approvals).raise(epoch));
    await esys.shutdown([], 0);
  };

  test('keeps what is on trial, not before what it must be able to do has passed', async () => {
    const { world } = opened;
    expect(codeIn(await update('rollback'))).toBe('policy/no-fallback');
    world.device.breakHealth(release.facts.verityRoot);
    expect(codeIn(await update('install'))).toBe('done');
    await restart(world);
    await waitLonger();
    await signIn(world, world.device);
    expect(await states()).toBe('b committed trial');
    expect(codeIn(await update('confirm'))).toBe('policy/health-missing');
    expect(await states()).toBe('b committed trial');
    world.device.mendHealth(release.facts.verityRoot);
    // The gate looks once a second too, and may have been first.
    expect(['done', 'policy/no-trial']).toContain(codeIn(await update('confirm')));
    expect(await states()).toBe('b superseded committed');
    expect(codeIn(await update('confirm'))).toBe('policy/no-trial');
  });

  test('goes back to what ran before, which is tried anew, and forth again', async () => {
    const { world } = opened;
    expect((await update('rollback')).json).toMatchObject({ outcome: 'armed' });
    expect(await states()).toBe('b trial committed');
    await restart(world);
    await becomes('a committed superseded');
    await signIn(world, world.device);
    expect((await update('rollback')).json).toMatchObject({ outcome: 'armed' });
    await restart(world);
    await becomes('b superseded committed');
    const { json } = await update('history');
    const events = (json['records'] as readonly { readonly event: string }[]).map(({ event }) => event);
    expect(events.filter((event) => event === 'release.rolled-back').length).toBe(2);
  });

  test('goes back to nothing below the floor in the TPM, and is told so (SR-08)', async () => {
    const { world } = opened;
    expect((await update('status')).json).toMatchObject({ floorEpoch: 0 });
    await raiseInTpm(1);
    await world.device.powerOn();
    await world.device.answers();
    await signIn(world, world.device);
    expect((await update('status')).json).toMatchObject({ running: 'b', floorEpoch: 1 });
    expect(codeIn(await update('rollback'))).toBe('integrity/below-floor');
    expect(await states()).toBe('b superseded committed');
  });
});
