/** A disk that goes bad under a real machine: beneath the root of the slot that starts, and in the slot that is written. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { blockBytes } from '#ota-client/payload/limits';
import { partitionNamed } from '#sim/image/disk';
import { sectorBytes } from '#sim/image/gpt';
import { askAsMind } from './guest-tool.fixture.ts';
import { clock, healthy, started, type TestDevice } from './machine.fixture.ts';
import type { RunningMachine } from './machine.ts';
import { type SaidStatus, type UpdatableMachine, updatableMachine } from './updatable.fixture.ts';

const limitMs = 1_800_000;

describe('a disk that goes bad', () => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-bad-'));
  let releases: UpdatableMachine;
  let made: TestDevice;
  let machine: RunningMachine;
  beforeAll(async () => {
    releases = await updatableMachine(join(folder, 'image'));
    made = await releases.device();
    // The top of the hash tree of slot a, behind a superblock that nobody reads: nothing of that slot can be verified.
    const [, blocks] = /enigm\.blocks=(\d+)/.exec(releases.image.parts.commandLine) ?? [];
    const tree = partitionNamed('root-a').startSector + ((Number(blocks) + 1) * blockBytes) / sectorBytes;
    machine = await started(made.device, { limitMs, diskFaults: [{ on: 'read', sector: tree }] });
  });
  afterAll(async () => {
    await machine?.powerCut();
    made?.[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  const resets = () => machine.events().filter(({ event }) => event === 'RESET').length;
  const errors = () => machine.events().filter(({ event }) => event === 'BLOCK_IO_ERROR');

  test('beneath the root of a slot: it is tried twice, nothing of it runs, and the other one starts', async () => {
    expect(await healthy(machine)).toBe('b');
    console.log(`${errors().length} reads failed, ${resets()} resets`);
    expect(errors().map(({ data }) => data['operation'])).toEqual(expect.arrayContaining(['read', 'read']));
    expect(machine.serial().match(/root-a is not what was signed/g)).toHaveLength(2);
    expect(resets()).toBe(2);
    expect(unwrap(await askAsMind<SaidStatus>(machine, 'status'))).toMatchObject({ running: 'b' });
  });

  test('row 40: a target that cannot be written is marked, reported, and not tried in a loop', async () => {
    // It lasts from power-on to power-off, so the machine is started without it.
    await machine.powerCut();
    machine = await started(made.device, { limitMs });
    expect(await healthy(machine)).toBe('a');

    const bad = partitionNamed('root-b').startSector + 64 * 1024;
    unwrap(await machine.setDiskFaults([{ on: 'write', sector: bad }]));
    const failed = await askAsMind(machine, 'install');
    expect(failed.ok ? 'installed' : codeOf(failed.fault)).toBe('unavailable/storage-failed');
    expect(errors().some(({ data }) => data['operation'] === 'write')).toBe(true);
    const status = unwrap(await askAsMind<SaidStatus>(machine, 'status'));
    expect(status.a).toMatchObject({ state: 'committed', counter: 1 });
    expect(status.b).toMatchObject({ state: 'failed', counter: 2, reason: 'medium' });

    const before = errors().length;
    const beganMs = clock.bootMs();
    const again = await askAsMind(machine, 'install');
    expect(again.ok ? 'installed' : codeOf(again.fault)).toBe('policy/release-failed');
    expect(errors()).toHaveLength(before);
    console.log(`refused after ${clock.bootMs() - beganMs} ms, without a write`);

    unwrap(await machine.setDiskFaults([]));
    const said = machine.serial().length;
    unwrap(await machine.reset());
    expect(await healthy(machine, said)).toBe('a');
    expect(unwrap(await askAsMind<SaidStatus>(machine, 'status')).b).toMatchObject({ state: 'failed', reason: 'medium' });
  });
});
