/** One image for all tests of a run, and devices made from it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deny, ok, type Result, unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { linuxCommands } from '#hal/linux/commands';
import type { SlotName } from '#hal/ports/slots';
import { unpackBase } from '#sim/image/base';
import { type BuiltImage, bootEntries, variablesTemplate } from '#sim/image/build';
import { bootFileSystem } from '#sim/image/disk';
import { imageOfBuild } from '#sim/image/image';
import { buildInitrd } from '#sim/image/initrd';
import { unifiedImage } from '#sim/image/uki';
import {
  bootVariables,
  certificatesOf,
  type FirmwareVariable,
  secureBootVariables,
  writeVariables,
} from '#sim/image/variable-store';
import { type Authority, certifyEndorsement, newAuthority } from '#sim/peers/authority';
import { makeDevice, type QemuDevice } from './device.ts';
import type { EmulatorOptions } from './emulator.ts';
import { writeDisk } from './equip.ts';
import { powerOn, type RunningMachine } from './machine.ts';

export const clock = linuxClock();
export const project = join(import.meta.dirname, '../..');
export const imageFolder = join(project, 'build/image');

/** @param kernelWords for an image that is another one. @param more files of its root, by path */
export const buildTestImage = (
  folder = imageFolder,
  kernelWords: readonly string[] = [],
  more: ReadonlyMap<string, string> = new Map(),
  floorEpoch = 0,
): Promise<BuiltImage> => {
  mkdirSync(folder, { recursive: true });
  return imageOfBuild(project, folder, () => undefined, kernelWords, more, floorEpoch);
};

export interface TestDevice extends Disposable {
  readonly device: QemuDevice;
}

/** @param tpmMaker whose certificate its TPM has; somebody whom no verifier knows unless it is given */
export const testDevice = async (tpmMaker?: Authority, image = imageFolder): Promise<TestDevice> => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-qemu-'));
  const maker = tpmMaker ?? (await newAuthority('Enigm simulated TPM maker', 'p256', clock));
  const device = unwrap(
    await makeDevice(join(folder, 'device'), {
      image,
      addon: join(project, 'build/native/tpm-sim.node'),
      clock,
      certifyEndorsement: (endorsementPublic) => certifyEndorsement(maker, endorsementPublic, clock),
    }),
  );
  return { device, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
};

/** Started, and its shell answers. */
export const started = async (device: QemuDevice, options: Partial<EmulatorOptions> = {}): Promise<RunningMachine> => {
  const machine = unwrap(await powerOn(device, { clock, ...options }));
  unwrap(await machine.until(shellPrompt, healthyWithinMs));
  return machine;
};

const shellPrompt = /\/ # /;
/** Not one that was on its way when the machine was reset. */
const shellOfNextStart = /BdsDxe: starting[\s\S]*\/ # /;
const healthyWithinMs = 600_000;

/** The programs of a machine that was started or reset answer, and its start has come to its end. @returns its slot */
export const healthy = async (machine: RunningMachine, fromCharacter = 0): Promise<SlotName> => {
  unwrap(await machine.until(shellOfNextStart, healthyWithinMs, fromCharacter));
  unwrap(await machine.shell('until [ -e /run/enigm/start-ended ]; do sleep 0.2; done', healthyWithinMs));
  return unwrap(await machine.shell('cat /run/slot')) === 'b' ? 'b' : 'a';
};

/** Overwrites part of the disk of a machine that is off, with one byte again and again. */
export const overwrite = async ({ disk }: QemuDevice, offsetBytes: number, lengthBytes: number): Promise<void> => {
  unwrap(
    await linuxCommands().run('/usr/bin/qemu-io', ['-f', 'qcow2', '-c', `write -P 0x5a ${offsetBytes} ${lengthBytes}`, disk]),
  );
};

export const writePartition = async (device: QemuDevice, offsetBytes: number, bytes: Uint8Array): Promise<void> =>
  unwrap(await writeDisk(device, offsetBytes, bytes));

/** As when somebody clears the keys of the firmware, which then starts whatever is there; it knows the slots still. */
export const withoutSecureBoot = (device: QemuDevice): void => writeFirmware(device, bootVariables(bootEntries));

/** As when the battery of the firmware's memory is empty: it has the keys of its maker, and knows no slot. */
export const withoutEntries = (device: QemuDevice, { keys }: BuiltImage): void =>
  writeFirmware(device, secureBootVariables(certificatesOf(keys)));

/** It has not even keys. */
export const withoutAnyVariable = (device: QemuDevice): void => writeFirmware(device, []);

const writeFirmware = ({ variables }: QemuDevice, kept: readonly FirmwareVariable[]): void =>
  writeFileSync(variables, unwrap(writeVariables(new Uint8Array(readFileSync(variablesTemplate)), kept)));

/** A signed boot image, as it lies on a partition, that comes no further than its own first root. */
export const hangingBootImage = async ({ parts, keys }: BuiltImage): Promise<Uint8Array> => {
  const script = readFileSync(join(project, 'sim/image/guest/initrd.sh'), 'utf8');
  const watched = script.replace(/^if \[ -c \/dev\/watchdog \].*$/m, '$&\nsleep 1000000');
  if (watched === script) throw new Error('the first root opens no watchdog');
  const base = await unpackBase(join(project, 'build/packages'), () => undefined);
  const initrd = await buildInitrd(base, { script: watched, program: join(project, 'build/native/first-root') });
  return bootFileSystem(unwrap(unifiedImage({ ...parts, initrd }, keys.release)).file);
};

/** Waits for what QEMU tells of the machine. @returns milliseconds that it took, or `resource/time-limit` */
export const untilEvent = async (machine: RunningMachine, name: string, withinMs: number): Promise<Result<number>> => {
  const beganMs = clock.bootMs();
  for (let nowMs = beganMs; nowMs < beganMs + withinMs; nowMs = clock.bootMs()) {
    if (machine.events().some(({ event }) => event === name)) return ok(nowMs - beganMs);
    await clock.sleep(lookMs, never);
  }
  return deny('resource', 'time-limit', name);
};
const lookMs = 50;
const never = new AbortController().signal;
