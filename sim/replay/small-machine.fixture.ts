/** A disk and a flash as a machine has them, of a few kilobytes: signed images, roots with their trees, a ledger, boot entries. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concat, toHex, u16le, u32le, utf8 } from '#hal/core/bytes';
import { bootPath } from '#hal/core/efi-load-option';
import { unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { headBytes } from '#hal/linux/machine-slots';
import { memoryBlockDevice } from '#hal/memory/block-device';
import { otherSlot, type SlotName, slotNames } from '#hal/ports/slots';
import { type Ledger, ledgerStore, type SlotEntry } from '#ota-client/slots/ledger';
import { signImage } from '#sim/image/authenticode';
import { lastSectors, type Partition, partitionTable, sectorBytes } from '#sim/image/gpt';
import { hashAreaOf } from '#sim/image/hash-area';
import { type ImageKeys, imageKeysIn } from '#sim/image/keys';
import { withSections } from '#sim/image/pe';
import { smallPe } from '#sim/image/pe.fixture';
import {
  bootVariables,
  certificatesOf,
  type FirmwareVariable,
  secureBootVariables,
  writeVariables,
} from '#sim/image/variable-store';

const uuidOf = (number: number) => `656e6967-6d00-4000-8000-${String(number).padStart(12, '0')}`;
/** The head of a boot partition is so large that there must be something behind it. */
const bootSectors = headBytes / sectorBytes + 64;
const planned = { 'esp-a': bootSectors, 'esp-b': bootSectors, 'root-a': 256, 'root-b': 256, ledger: 64 } as const;
export type SmallPartition = keyof typeof planned;
const names = Object.keys(planned) as readonly SmallPartition[];
export const startOf = (name: SmallPartition): number =>
  40 + names.slice(0, names.indexOf(name)).reduce((sum, before) => sum + planned[before], 0);
export const partitions: readonly Partition[] = names.map((name, index) => ({
  ...{ name, type: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b', uuid: uuidOf(index + 2) },
  ...{ startSector: startOf(name), sectors: planned[name] },
}));
export const diskSectors = startOf('ledger') + planned.ledger + 40;
export const numbers: Readonly<Record<SlotName, number>> = { a: 0x10, b: 0x11 };

/** The store of variables as a factory finds it. */
const emptyFlash = (): Uint8Array => {
  const flash = new Uint8Array(64 * 1024).fill(0xff);
  flash.set(utf8('_FVH'), 40);
  flash.set(concat(u32le(flash.length - 0x48), new Uint8Array([0x5a, 0xfe])), 0x48 + 16);
  return flash;
};
export const flashWith = (variables: readonly FirmwareVariable[]): Uint8Array => unwrap(writeVariables(emptyFlash(), variables));

/** FAT32 with one file: a table of one sector, clusters of one sector. */
export const smallFat = (path: readonly string[], file: Uint8Array): Uint8Array => {
  const clusters = Math.ceil(file.length / sectorBytes);
  const entry = (name: string, isFolder: boolean, cluster: number, bytes: number) => {
    const [stem = '', extension = ''] = name.split('.');
    const made = new Uint8Array(32);
    made.set(utf8(stem.padEnd(8) + extension.padEnd(3)));
    made.set([isFolder ? 0x10 : 0x20], 11);
    made.set(concat(u16le(cluster), u32le(bytes)), 26);
    return made;
  };
  const image = new Uint8Array(bootSectors * sectorBytes);
  image.set(concat(u16le(sectorBytes), new Uint8Array([1]), u16le(1), new Uint8Array([1])), 11);
  image.set(u32le(1), 36);
  image.set(u32le(2), 44);
  image.set([0x55, 0xaa], 510);
  const at = (cluster: number) => cluster * sectorBytes;
  for (const [index, name] of path.entries()) {
    const isFolder = index < path.length - 1;
    image.set(u32le(0x0fff_ffff), sectorBytes + 4 * (2 + index));
    image.set(entry(name, isFolder, 3 + index, isFolder ? 0 : file.length), at(2 + index));
  }
  const first = 2 + path.length;
  for (let cluster = first; cluster < first + clusters; cluster += 1)
    image.set(u32le(cluster === first + clusters - 1 ? 0x0fff_ffff : cluster + 1), sectorBytes + 4 * cluster);
  image.set(file, at(first));
  return image;
};

export interface SmallMachine {
  /** Slot a holds release 1, slot b release 2; both may be started. */
  readonly disk: Uint8Array;
  readonly flash: (order: readonly SlotName[], once?: SlotName) => Uint8Array;
  readonly ledgerWith: (change: Partial<Record<SlotName, Partial<SlotEntry>>>) => Promise<Uint8Array>;
  readonly keys: ImageKeys;
}

export const smallMachine = async (): Promise<SmallMachine> => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-keys-'));
  const keys = await imageKeysIn(folder);
  rmSync(folder, { recursive: true });
  const salt = new Uint8Array(4).fill(7);
  const slotOf = (byte: number) => {
    const data = new Uint8Array(3 * 4096).fill(byte);
    const { area, root } = hashAreaOf(data, { salt, uuid: new Uint8Array(16) });
    const line = `quiet enigm.verity=${toHex(root)} enigm.blocks=3 enigm.a=${uuidOf(2)} enigm.b=${uuidOf(3)}`;
    const image = unwrap(withSections(smallPe(), [{ name: '.cmdline', bytes: utf8(`${line}\0`) }]));
    const boot = smallFat(bootPath.split('\\').slice(1), unwrap(signImage(image, keys.release)));
    const released = concat(boot.subarray(headBytes), boot.subarray(0, headBytes), data, area);
    const whole = hashAreaOf(released, { salt, uuid: new Uint8Array(16) });
    return { boot, root: concat(data, area, whole.area), verityRoot: whole.root, imageBytes: released.length };
  };
  const slots = { a: slotOf(0xa1), b: slotOf(0xb2) };

  const ledgerWith: SmallMachine['ledgerWith'] = async (change) => {
    const entryOf = (slot: SlotName, counter: number): SlotEntry => {
      const { verityRoot, imageBytes } = slots[slot];
      const release = { digest: new Uint8Array(32), counter, floorEpoch: 0, imageBytes, verityRoot };
      return { content: 'verified', writtenSegments: 0, mismatches: 0, reason: '', release, ...change[slot] };
    };
    const ledger: Ledger = { a: entryOf('a', 1), b: entryOf('b', 2) };
    const medium = memoryBlockDevice(twinRecordBytes);
    unwrap(await ledgerStore(medium).write(ledger));
    return unwrap(await medium.read(0, twinRecordBytes));
  };
  const disk = new Uint8Array(diskSectors * sectorBytes);
  const table = partitionTable(uuidOf(0), diskSectors, partitions);
  disk.set(table.first);
  disk.set(table.last, (diskSectors - lastSectors) * sectorBytes);
  for (const slot of slotNames) {
    disk.set(slots[slot].boot, startOf(`esp-${slot}`) * sectorBytes);
    disk.set(slots[slot].root, startOf(`root-${slot}`) * sectorBytes);
  }
  disk.set(await ledgerWith({}), startOf('ledger') * sectorBytes);

  return {
    ...{ disk, keys, ledgerWith },
    flash(order, once) {
      const entries = new Map(
        [...order, otherSlot(order[0] ?? 'a')].map((slot) => {
          const index = slotNames.indexOf(slot);
          const partition = { ...(partitions[index] as Partition), number: index + 1 };
          return [numbers[slot], { title: slot, path: bootPath, partition }];
        }),
      );
      const all = bootVariables(entries).map((variable) =>
        variable.name === 'BootOrder' ? { ...variable, data: concat(...order.map((slot) => u16le(numbers[slot]))) } : variable,
      );
      const next = all.filter(({ name }) => name === 'BootOrder' && once !== undefined);
      return flashWith([
        ...secureBootVariables(certificatesOf(keys)),
        ...all,
        ...next.map((variable) => ({ ...variable, name: 'BootNext', data: u16le(numbers[once ?? 'a']) })),
      ]);
    },
  };
};
