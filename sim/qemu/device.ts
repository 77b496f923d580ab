/** A device as a folder: what of a machine outlives its power. Two of them made from one image are two devices. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ok, type Result } from '#hal/core/result';
import { linuxCommands } from '#hal/linux/commands';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import { tpmResult } from '#hal/native/tpm-error';
import type { Clock } from '#hal/ports/clock';
import { manufactureTpm } from '#sim/machine/manufacture';
import { startSwtpm } from '#sim/machine/swtpm';

export interface QemuDevice {
  readonly folder: string;
  /** Grows from the image, which must stay as it is. */
  readonly disk: string;
  readonly variables: string;
  readonly tpm: string;
  /** What the simulator tells the machine: read at each start. */
  readonly site: string;
  readonly serialLog: string;
}

export interface DeviceOptions {
  /** Folder of the built image: disk.img, variables.fd. */
  readonly image: string;
  /** build/native/tpm-sim.node: the factory speaks to the TPM. */
  readonly addon: string;
  readonly clock: Clock;
  readonly certifyEndorsement: (endorsementPublic: Uint8Array) => Promise<Uint8Array>;
}

/** `sim/image/guest/machine.sh` reads so much of it. */
export const siteBytes = 64 * 1024;
/** Behind it: a tool, or a program that is swapped. */
export const toolBytes = 4 * 1024 * 1024;

export const qemuDevice = (folder: string): QemuDevice => ({
  folder,
  disk: join(folder, 'disk.qcow2'),
  variables: join(folder, 'variables.fd'),
  tpm: join(folder, 'tpm'),
  site: join(folder, 'site.img'),
  serialLog: join(folder, 'serial.log'),
});

/** Makes a device that is not there yet: disk, firmware variables, and a TPM with the certificate of its maker. */
export const makeDevice = async (
  folder: string,
  { image, addon, clock, certifyEndorsement }: DeviceOptions,
): Promise<Result<QemuDevice>> => {
  const device = qemuDevice(folder);
  if (existsSync(join(folder, 'device.json'))) return ok(device);
  mkdirSync(device.tpm, { recursive: true, mode: 0o700 });
  copyFileSync(join(image, 'variables.fd'), device.variables);
  const made = await linuxCommands().run('/usr/bin/qemu-img', [
    ...['create', '-q', '-f', 'qcow2', '-b', join(image, 'disk.img'), '-F', 'raw', device.disk],
  ]);
  if (!made.ok) return made;
  const manufactured = await manufacture(device, addon, clock, certifyEndorsement);
  if (!manufactured.ok) return manufactured;
  writeSite(device, '');
  writeFileSync(join(folder, 'device.json'), `${JSON.stringify({ version: 1, image })}\n`);
  return ok(device);
};

/**
 * What the machine finds on its second disk at the next start.
 * @param tool behind the site: a script that whoever sits at the serial line may run
 */
export const writeSite = (device: QemuDevice, site: string, tool = ''): void => {
  const bytes = Buffer.alloc(siteBytes + toolBytes);
  for (const [text, offset, limit] of [
    [site, 0, siteBytes],
    [tool, siteBytes, toolBytes],
  ] as const) {
    if (Buffer.byteLength(text) > limit) throw new Error(`${Buffer.byteLength(text)} bytes do not fit`);
    bytes.write(text, offset);
  }
  writeFileSync(device.site, bytes);
};

const manufacture = async (
  { tpm, folder }: QemuDevice,
  addon: string,
  clock: Clock,
  certify: DeviceOptions['certifyEndorsement'],
): Promise<Result<void>> => {
  const started = await startSwtpm({ stateDirectory: tpm, socketDirectory: join(folder, 'make'), clock });
  if (!started.ok) return started;
  await using swtpm = started.value;
  const opened = await openSimulatedEsys({ addon, swtpm: { path: swtpm.commandPath } });
  if (!opened.ok) return opened;
  await using esys = opened.value;
  const begun = await tpmResult(esys.startup(0));
  if (!begun.ok) return begun;
  const made = await manufactureTpm(esys, certify);
  if (!made.ok) return made;
  await esys.shutdown([], 0);
  return ok(undefined);
};
