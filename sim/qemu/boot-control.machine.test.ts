/**
 * The contract of `BootControl` on real firmware, real variables and our first root: the same sentences that memory is held
 * to. Each machine goes on from one that started once; each restart is a cold one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { bootControlClauses } from '#hal/contract/boot-control';
import { testClauses } from '#hal/contract/clauses-test';
import { ok, unwrap } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { guestBootControl } from './boot-control.fixture.ts';
import { writeSite } from './device.ts';
import { guestTool } from './guest-tool.fixture.ts';
import { buildTestImage, clock, healthy, imageFolder, started, testDevice } from './machine.fixture.ts';
import type { RunningMachine } from './machine.ts';
import { lonelySite } from './site.ts';
import { restoreSnapshot, saveSnapshot, snapshotKey } from './snapshot.ts';

const limitMs = 1_800_000;

beforeAll(async () => {
  await buildTestImage();
});

describe.each([
  ['firmware that keeps entries', false],
  ['firmware that deletes entries which it could not start', true],
])('%s', (name, deletesEntries) => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-contract-'));
  const snapshot = join(folder, 'snapshot');
  let current: RunningMachine | undefined;
  beforeAll(async () => {
    using made = await testDevice();
    writeSite(made.device, await lonelySite(clock), await guestTool('boot-control'));
    await using machine = await started(made.device, { deletesEntries, limitMs });
    await healthy(machine);
    unwrap(await guestBootControl(machine).markUnbootable('b'));
    const key = unwrap(await snapshotKey(imageFolder, { deletesEntries }));
    unwrap(await saveSnapshot(machine, made.device, snapshot, key));
  });
  afterAll(async () => {
    await current?.powerCut();
    rmSync(folder, { recursive: true, force: true });
  });

  testClauses(`BootControl: UEFI, ${name}`, bootControlClauses, async () => {
    await current?.powerCut();
    const options = { clock, random: systemRandom, deletesEntries, limitMs };
    const { machine } = unwrap(await restoreSnapshot(snapshot, join(folder, 'device'), options));
    current = machine;
    return {
      control: guestBootControl(machine),
      async restart() {
        const before = machine.serial().length;
        unwrap(await machine.reset());
        return ok(await healthy(machine, before));
      },
    };
  });
});
