/**
 * A machine as it stood at a moment: memory, devices, TPM, media. Bound to this QEMU, this command line and this image;
 * whatever else asks for it gets a cold start.
 *
 * Every machine that is restored from one has the same TPM, keys and counters: one device, again and again, never a fleet.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { toBase64 } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import { linuxCommands } from '#hal/linux/commands';
import type { Random } from '#hal/ports/random';
import { machineArguments, qemu } from './arguments.ts';
import { type QemuDevice, qemuDevice } from './device.ts';
import type { EmulatorOptions } from './emulator.ts';
import { powerOn, type RunningMachine } from './machine.ts';

export interface WakingOptions extends EmulatorOptions {
  /** What every copy is given, so that no two draw the same random numbers. */
  readonly random: Random;
}

const stateFile = 'state.zst';
/** Written last: what it is bound to. */
export const keyFile = 'key';

/** What a snapshot is only good for. @param image folder of the image that the device grew from */
export const snapshotKey = async (
  image: string,
  { memoryMiB = 0, deletesEntries = false }: Pick<EmulatorOptions, 'memoryMiB' | 'deletesEntries'>,
): Promise<Result<string>> => {
  const version = await linuxCommands().run(qemu, ['--version']);
  if (!version.ok) return version;
  const place = '/';
  const words = machineArguments({
    ...{ variables: place, disk: place, tpm: place, run: place, serialLog: place, siteDisk: place },
    ...{ memoryMiB, deletesEntries },
  });
  const digest = createHash('sha256').update(
    JSON.stringify([version.value, words, readFileSync(join(image, 'image.json'), 'utf8')]),
  );
  return ok(digest.digest('hex'));
};

/** Stops the machine and keeps it. @param folder of the snapshot; there whole or not at all */
export const saveSnapshot = async (
  machine: RunningMachine,
  device: QemuDevice,
  folder: string,
  key: string,
): Promise<Result<void>> => {
  const begun = `${folder}.begun`;
  rmSync(begun, { recursive: true, force: true });
  mkdirSync(begun, { recursive: true, mode: 0o700 });
  const saved = await machine.saveState(join(begun, stateFile));
  if (!saved.ok) return saved;
  for (const path of mediaOf(device)) cpSync(path, join(begun, basename(path)), { recursive: true });
  writeFileSync(join(begun, keyFile), key);
  rmSync(folder, { recursive: true, force: true });
  renameSync(begun, folder);
  return ok(undefined);
};

export const hasSnapshot = (folder: string, key: string): boolean =>
  existsSync(join(folder, keyFile)) && readFileSync(join(folder, keyFile), 'utf8') === key;

/**
 * Goes on from a snapshot, in copies of its media.
 * @param copy folder of the device that comes of it
 * @returns the machine; or why the state cannot be used, and then a cold start of the copy is what is left
 */
export const restoreSnapshot = async (
  folder: string,
  copy: string,
  options: WakingOptions,
): Promise<Result<{ readonly device: QemuDevice; readonly machine: RunningMachine }>> => {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true, mode: 0o700 });
  const device = qemuDevice(copy);
  const machine = await goBack(folder, device, options);
  return machine.ok ? ok({ device, machine: machine.value }) : machine;
};

/** Puts the media of a device that is off back to what they were, and goes on from there. @returns as `goOn` */
export const goBack = (folder: string, device: QemuDevice, options: WakingOptions): Promise<Result<RunningMachine>> => {
  for (const path of mediaOf(device)) {
    rmSync(path, { recursive: true, force: true });
    cpSync(join(folder, basename(path)), path, { recursive: true });
  }
  return goOn(folder, device, options);
};

/** Goes on from the state of a snapshot with media that are as they were then. @returns the machine, or why it cannot */
export const goOn = async (folder: string, device: QemuDevice, options: WakingOptions): Promise<Result<RunningMachine>> => {
  const machine = await powerOn(device, { ...options, savedState: join(folder, stateFile) });
  if (!machine.ok) return machine;
  const woken = await wake(machine.value, options);
  if (woken.ok) return machine;
  await machine.value.powerCut();
  return woken;
};

const mediaOf = ({ disk, variables, tpm, site }: QemuDevice): readonly string[] => [disk, variables, tpm, site];

/** Its clock stands where it was, and its random numbers would be those of every other copy. */
const wake = async (machine: RunningMachine, { clock, random }: WakingOptions): Promise<Result<string>> => {
  const seed = toBase64(random.bytes(32));
  const date = new Date(clock.nowMs()).toISOString().slice(0, 19).replace('T', ' ');
  return machine.shell(`date -u -s "${date}" > /dev/null; echo ${seed} > /dev/urandom`, wakeWithinMs);
};
const wakeWithinMs = 20_000;
