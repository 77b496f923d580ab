/** What starts when the firmware has forgotten the slots, or none of them starts. Every boot here is a cold one. */
import { beforeAll, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import type { BuiltImage } from '#sim/image/build';
import { type PartitionName, partitionNamed } from '#sim/image/disk';
import { sectorBytes } from '#sim/image/gpt';
import { type QemuDevice, writeSite } from './device.ts';
import {
  buildTestImage,
  clock,
  healthy,
  overwrite,
  started,
  testDevice,
  withoutAnyVariable,
  withoutEntries,
} from './machine.fixture.ts';
import { powerOn } from './machine.ts';
import { lonelySite } from './site.ts';

/** Both slots are tried before it, one of them again and again. */
const recoveredWithinMs = 900_000;

describe('recovery', () => {
  let image: BuiltImage;
  beforeAll(async () => {
    image = await buildTestImage();
  });

  test('points firmware that forgot the slots to them, and the first that is whole runs (SR-33)', async () => {
    using made = await testDevice();
    writeSite(made.device, await lonelySite(clock));
    withoutEntries(made.device, image);
    await damage(made.device, 'esp-a');
    await using machine = await started(made.device, { limitMs: recoveredWithinMs });
    expect(await healthy(machine)).toBe('b');
    expect(machine.serial()).toContain('enigm recovery: the firmware had forgotten the slots');
    expect(unwrap(await machine.shell('od -An -tx1 /sys/firmware/efi/efivars/BootOrder-*'))).toMatch(
      /^ 07 00 00 00 10 00 11 00 12 00/,
    );
    // Nothing of it is left for the next start.
    expect(unwrap(await machine.shell('ls /sys/firmware/efi/efivars | grep -c EnigmBegun'))).toBe('0');
  });

  test('is what starts when no slot does: one that the firmware refuses, one that panics (SR-12)', async () => {
    using made = await testDevice();
    await damage(made.device, 'esp-a');
    await damage(made.device, 'root-b');
    await using machine = unwrap(await powerOn(made.device, { clock, limitMs: recoveredWithinMs }));
    unwrap(await machine.until(/enigm recovery: no slot starts/, recoveredWithinMs));
    expect(machine.serial()).toContain('Access Denied');
    // This image names nobody whose repair release it would take.
    unwrap(await machine.until(/enigm recovery: nothing was repaired: unavailable\/not-supported/, recoveredWithinMs));
    expect(machine.events().filter(({ event }) => event === 'RESET').length).toBeGreaterThanOrEqual(3);
  });

  test('starts no program of a root of its own that is not what was signed (SR-33)', async () => {
    using made = await testDevice();
    for (const name of ['esp-a', 'esp-b', 'recovery-root'] as const) await damage(made.device, name);
    await using machine = unwrap(await powerOn(made.device, { clock, limitMs: recoveredWithinMs }));
    const why = /enigm recovery: its root is not what was signed: nothing is repaired/;
    unwrap(await machine.until(why, recoveredWithinMs));
    expect(machine.serial()).not.toContain('nothing was repaired');
  });

  test('repairs nothing where the firmware enforces no signatures (SR-33)', async () => {
    using made = await testDevice();
    withoutAnyVariable(made.device);
    await using machine = unwrap(await powerOn(made.device, { clock }));
    unwrap(await machine.until(/enigm recovery: the firmware does not enforce signatures/));
    expect(machine.events().some(({ event }) => event === 'RESET')).toBe(false);
  });
});

/** A boot image in the middle of its file, a root file system where a start reads first. */
const damage = (device: QemuDevice, name: PartitionName): Promise<void> => {
  const inPartition = name.startsWith('esp') ? 8 * 1024 * 1024 : 0;
  return overwrite(device, partitionNamed(name).startSector * sectorBytes + inPartition, 4096);
};
