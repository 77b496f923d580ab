/** Going on from a moment: what it costs, what is the same afterwards, and what happens when it cannot be. */
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { buildTestImage, clock, imageFolder, started, type TestDevice, testDevice } from './machine.fixture.ts';
import { hasSnapshot, restoreSnapshot, saveSnapshot, snapshotKey } from './snapshot.ts';

const registers = 'cd /sys/class/tpm/tpm0/pcr-sha256; for pcr in 0 2 4 7 11; do cat $pcr; done';

describe('a snapshot of a machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-snapshot-'));
  const snapshot = join(folder, 'snapshot');
  let made: TestDevice;
  let before: string;
  let key: string;
  beforeAll(async () => {
    await buildTestImage();
    key = unwrap(await snapshotKey(imageFolder, {}));
    made = await testDevice();
    const machine = await started(made.device);
    before = unwrap(await machine.shell(registers));
    unwrap(await machine.shell('echo remembered > /run/mark; sync'));
    unwrap(await saveSnapshot(machine, made.device, snapshot, key));
    expect(machine.isOn()).toBe(false);
  });
  afterAll(() => {
    made?.[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('goes on with its memory and its TPM, as often as it is wanted', async () => {
    for (const name of ['one', 'two']) {
      const beganMs = clock.bootMs();
      const restored = unwrap(await restoreSnapshot(snapshot, join(folder, name), { clock, random: systemRandom }));
      await using machine = restored.machine;
      const answeredMs = clock.bootMs() - beganMs;
      expect(unwrap(await machine.shell('cat /run/mark'))).toBe('remembered');
      expect(unwrap(await machine.shell(registers))).toBe(before);
      const skewSeconds = Math.abs(Number(unwrap(await machine.shell('date +%s'))) - clock.nowMs() / 1000);
      expect(skewSeconds).toBeLessThan(30);
      console.log(`restored and answered after ${answeredMs} ms`);
    }
  });

  test('is for one emulator, one command line and one image', async () => {
    expect(hasSnapshot(snapshot, key)).toBe(true);
    expect(hasSnapshot(snapshot, unwrap(await snapshotKey(imageFolder, { memoryMiB: 1024 })))).toBe(false);
    expect(hasSnapshot(join(folder, 'nowhere'), key)).toBe(false);
  });

  test('that is damaged is a fault, and leaves no process', async () => {
    truncateSync(join(snapshot, 'state.zst'), 1_000_000);
    const restored = await restoreSnapshot(snapshot, join(folder, 'three'), { clock, random: systemRandom });
    expect(restored.ok).toBe(false);
  });
});
