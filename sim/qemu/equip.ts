/** What a factory does to the disk of a machine before anybody owns it. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FactoryRelease } from '#agents/release/build';
import { done, type Result } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { linuxCommands } from '#hal/linux/commands';
import { memoryBlockDevice } from '#hal/memory/block-device';
import { emptyEntry, ledgerStore } from '#ota-client/slots/ledger';
import { partitionNamed } from '#sim/image/disk';
import { sectorBytes } from '#sim/image/gpt';
import { hashAreaOf } from '#sim/image/hash-area';
import { bootPartitionBytes } from '#sim/image/slot-image';
import type { QemuDevice } from './device.ts';

/** Writes part of the disk of a machine that is off. @returns nothing, or what the tool for disks said */
export const writeDisk = async ({ disk, folder }: QemuDevice, offsetBytes: number, bytes: Uint8Array): Promise<Result<void>> => {
  const source = join(folder, 'written.img');
  writeFileSync(source, bytes);
  const command = `write -s ${source} ${offsetBytes} ${bytes.length}`;
  const written = await linuxCommands({ timeoutMs: 60_000 }).run('/usr/bin/qemu-io', ['-f', 'qcow2', '-c', command, disk]);
  rmSync(source);
  return written.ok ? done : written;
};

/** Slot a holds the release that the image of the device is made of, and the ledger says so. */
export const equipSlots = async (device: QemuDevice, { image, facts, salt, uuid }: FactoryRelease): Promise<Result<void>> => {
  const offsetOf = (name: 'root-a' | 'ledger') => partitionNamed(name).startSector * sectorBytes;
  const { area } = hashAreaOf(image, { salt, uuid });
  const written = await writeDisk(device, offsetOf('root-a') + image.length - bootPartitionBytes, area);
  if (!written.ok) return written;
  const medium = memoryBlockDevice(twinRecordBytes);
  const kept = await ledgerStore(medium).write({ a: { ...emptyEntry, content: 'verified', release: facts }, b: emptyEntry });
  const ledger = kept.ok ? await medium.read(0, twinRecordBytes) : kept;
  return ledger.ok ? writeDisk(device, offsetOf('ledger'), ledger.value) : ledger;
};
