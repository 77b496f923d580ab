/**
 * Boot entries: the contents of the variables `Boot####` and `BootOrder` (UEFI 2.10 §3.1.3), for images that lie on a
 * partition of the machine's own disk.
 */
import { concat, u8, u16le, u32le, u64le } from './bytes.ts';
import { guidBytes } from './guid.ts';

export interface BootEntry {
  readonly title: string;
  readonly partition: EntryPartition;
  /** With backslashes, from the root of the partition. */
  readonly path: string;
}

export interface EntryPartition {
  readonly number: number;
  readonly startSector: number;
  readonly sectors: number;
  readonly uuid: string;
}

/** The one file that firmware starts, wherever it looks: also the path of removable media (UEFI 2.10 §3.5.1.1). */
export const bootPath = '\\EFI\\BOOT\\BOOTX64.EFI';

/** LOAD_OPTION_ACTIVE. */
const active = 1;
/** UEFI 2.10 §10.3.5.1: media device path, hard drive; a GPT, matched by the GUID of the partition. */
const hardDrive = [4, 1] as const;
const gptFormat = 2;
const guidSignature = 2;
/** UEFI 2.10 §10.3.5.4: media device path, file. */
const filePath = [4, 4] as const;
const endOfPath = [0x7f, 0xff, 4, 0] as const;

export const encodeLoadOption = ({ title, partition, path }: BootEntry): Uint8Array => {
  const { number, startSector, sectors, uuid } = partition;
  const drive = node(
    hardDrive,
    ...[u32le(number), u64le(startSector), u64le(sectors), guidBytes(uuid), u8(gptFormat), u8(guidSignature)],
  );
  const devicePath = concat(drive, node(filePath, utf16(path)), new Uint8Array(endOfPath));
  return concat(u32le(active), u16le(devicePath.length), utf16(title), devicePath);
};

export const encodeBootOrder = (numbers: readonly number[]): Uint8Array => concat(...numbers.map((number) => u16le(number)));

/** A half number at the end is not one. */
export const decodeBootOrder = (bytes: Uint8Array): readonly number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: Math.floor(bytes.length / 2) }, (_, index) => view.getUint16(index * 2, true));
};

/** `Boot0010` for 16. */
export const bootVariable = (number: number): string => `Boot${number.toString(16).toUpperCase().padStart(4, '0')}`;

const node = ([type, subtype]: readonly [number, number], ...contents: readonly Uint8Array[]): Uint8Array => {
  const body = concat(...contents);
  return concat(u8(type), u8(subtype), u16le(4 + body.length), body);
};

/** UCS-2 with its end. */
export const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(`${text}\0`, 'utf16le'));
