/** One image for all tests of a run, and devices made from it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { linuxCommands } from '#hal/linux/commands';
import type { BuiltImage } from '#sim/image/build';
import { imageOfBuild } from '#sim/image/image';
import { certifyEndorsement, newAuthority } from '#sim/peers/authority';
import { makeDevice, type QemuDevice } from './device.ts';
import { powerOn, type RunningMachine } from './machine.ts';

export const clock = linuxClock();
export const project = join(import.meta.dirname, '../..');
const imageFolder = join(project, 'build/image');

export const buildTestImage = (folder = imageFolder): Promise<BuiltImage> => {
  mkdirSync(folder, { recursive: true });
  return imageOfBuild(project, folder, () => undefined);
};

export interface TestDevice extends Disposable {
  readonly device: QemuDevice;
}

export const testDevice = async (): Promise<TestDevice> => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-qemu-'));
  const maker = await newAuthority('Enigm simulated TPM maker', 'p256', clock);
  const device = unwrap(
    await makeDevice(join(folder, 'device'), {
      image: imageFolder,
      addon: join(project, 'build/native/tpm-sim.node'),
      clock,
      certifyEndorsement: (endorsementPublic) => certifyEndorsement(maker, endorsementPublic, clock),
    }),
  );
  return { device, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
};

/** Started, and its shell answers. */
export const started = async (device: QemuDevice): Promise<RunningMachine> => {
  const machine = unwrap(await powerOn(device, { clock }));
  unwrap(await machine.until(/\/ # /));
  return machine;
};

/** Overwrites part of the disk of a machine that is off, with one byte again and again. */
export const overwrite = async ({ disk }: QemuDevice, offsetBytes: number, lengthBytes: number): Promise<void> => {
  unwrap(
    await linuxCommands().run('/usr/bin/qemu-io', ['-f', 'qcow2', '-c', `write -P 0x5a ${offsetBytes} ${lengthBytes}`, disk]),
  );
};
