/** One image for all tests of a run, and devices made from it. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { linuxCommands } from '#hal/linux/commands';
import { type BuiltImage, variablesTemplate } from '#sim/image/build';
import { imageOfBuild } from '#sim/image/image';
import { type Authority, certifyEndorsement, newAuthority } from '#sim/peers/authority';
import { makeDevice, type QemuDevice } from './device.ts';
import { powerOn, type RunningMachine } from './machine.ts';

export const clock = linuxClock();
export const project = join(import.meta.dirname, '../..');
export const imageFolder = join(project, 'build/image');

/** @param kernelWords for an image that is another one */
export const buildTestImage = (folder = imageFolder, kernelWords: readonly string[] = []): Promise<BuiltImage> => {
  mkdirSync(folder, { recursive: true });
  return imageOfBuild(project, folder, () => undefined, kernelWords);
};

export interface TestDevice extends Disposable {
  readonly device: QemuDevice;
}

/** @param tpmMaker whose certificate its TPM has; somebody whom no verifier knows unless it is given */
export const testDevice = async (tpmMaker?: Authority): Promise<TestDevice> => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-qemu-'));
  const maker = tpmMaker ?? (await newAuthority('Enigm simulated TPM maker', 'p256', clock));
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

/** Writes part of the disk of a machine that is off. */
export const writePartition = async ({ disk, folder }: QemuDevice, offsetBytes: number, bytes: Uint8Array): Promise<void> => {
  const source = join(folder, 'written.img');
  writeFileSync(source, bytes);
  const command = `write -s ${source} ${offsetBytes} ${bytes.length}`;
  unwrap(await linuxCommands().run('/usr/bin/qemu-io', ['-f', 'qcow2', '-c', command, disk]));
  rmSync(source);
};

/** As when somebody clears the keys of the firmware: it starts whatever is there. */
export const withoutSecureBoot = ({ variables }: QemuDevice): void => copyFileSync(variablesTemplate, variables);
