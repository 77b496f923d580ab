/**
 * A release in the hands of a real machine: written to the partitions of the other slot, read back, armed, tried, and kept
 * or given up. What fetches and decodes it is not here: the tool at the serial line is the mind.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { askAsMind } from './guest-tool.fixture.ts';
import { clock, healthy, started } from './machine.fixture.ts';
import { restoreSnapshot, saveSnapshot, snapshotKey } from './snapshot.ts';
import { type SaidStatus, type UpdatableMachine, updatableMachine } from './updatable.fixture.ts';

/** Of the machine that all others come from. */
const limitMs = 1_800_000;
describe('a release on the real machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-update-'));
  const images = join(folder, 'image');
  const snapshot = join(folder, 'on-trial');
  const said: SaidStatus[] = [];
  let releases: UpdatableMachine;

  beforeAll(async () => {
    releases = await updatableMachine(images);
    using made = await releases.device();
    await using machine = await started(made.device, { limitMs });
    await healthy(machine);
    const note = async () => void said.push(unwrap(await askAsMind<SaidStatus>(machine, 'status')));
    await note();
    const beganMs = clock.bootMs();
    expect(unwrap(await askAsMind(machine, 'install'))).toBe('trial');
    console.log(`written, read back and armed after ${clock.bootMs() - beganMs} ms`);
    await note();
    const before = machine.serial().length;
    unwrap(await machine.reset());
    await healthy(machine, before);
    await note();
    unwrap(await saveSnapshot(machine, made.device, snapshot, unwrap(await snapshotKey(images, {}))));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const onTrial = async (name: string) =>
    unwrap(await restoreSnapshot(snapshot, join(folder, name), { clock, random: systemRandom }));

  test('is written beside the one that runs, and its trial is what starts next (SR-01)', () => {
    const [first, armed, tried] = said;
    expect(first).toMatchObject({ running: 'a', runningRoot: toHex(releases.factory.facts.verityRoot) });
    expect(first?.a).toMatchObject({ state: 'committed', counter: 1 });
    expect(armed?.b).toMatchObject({ state: 'trial', counter: 2, triesLeft: 3 });
    expect(tried).toMatchObject({ running: 'b', runningRoot: toHex(releases.next.facts.verityRoot) });
    expect(tried?.b).toMatchObject({ state: 'trial', counter: 2, triesLeft: 2 });
  });

  test('that is well is kept, and runs after a power cut (SR-13)', async () => {
    const { device, machine } = await onTrial('kept');
    expect(await askAsMind(machine, 'commit')).toMatchObject({ ok: true });
    await machine.powerCut();
    await using again = await started(device);
    expect(await healthy(again)).toBe('b');
    const status = unwrap(await askAsMind<SaidStatus>(again, 'status'));
    expect(status.a).toMatchObject({ state: 'superseded', counter: 1 });
    expect(status.b).toMatchObject({ state: 'committed', counter: 2 });
  });

  test('whose health gate says no is given up: the old one runs, and why is kept (SR-13)', async () => {
    await using machine = (await onTrial('given-up')).machine;
    expect(await askAsMind(machine, 'giveUp', 'agents')).toMatchObject({ ok: true });
    const before = machine.serial().length;
    unwrap(await machine.reset());
    expect(await healthy(machine, before)).toBe('a');
    const status = unwrap(await askAsMind<SaidStatus>(machine, 'status'));
    expect(status.a).toMatchObject({ state: 'committed', counter: 1 });
    expect(status.b).toMatchObject({ state: 'failed', counter: 2, reason: 'agents' });
  });
});
