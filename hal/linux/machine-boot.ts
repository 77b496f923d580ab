/**
 * `BootControl` of the machine that this runs on: its own firmware, the partitions that its kernel shows, and what its
 * signed command line says of them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from '#hal/core/bytes';
import { bootPath, type EntryPartition } from '#hal/core/efi-load-option';
import { attempt, deny, done, ok, type Result } from '#hal/core/result';
import type { BootControl, RunningSlot } from '#hal/ports/boot-control';
import type { Clock } from '#hal/ports/clock';
import { type SlotName, slotNames } from '#hal/ports/slots';
import { isStartEnded } from './boot-guard.ts';
import { efiBootControl } from './efi-boot-control.ts';
import type { EfiVariables } from './efi-variables.ts';
import type { SlotPartitions } from './machine-slots.ts';

/** Where the kernel shows itself. Tests give recorded folders. */
export interface KernelPlaces {
  readonly commandLine: string;
  readonly blocks: string;
}

export interface MachineBootOptions {
  readonly variables: EfiVariables;
  readonly clock: Clock;
  /** There once this start came to its end. @see endStart */
  readonly startEndedPath: string;
  readonly places?: KernelPlaces;
  /** As the kernel says it, unless somebody knows of which release that is. */
  readonly running?: () => Promise<Result<RunningSlot>>;
}

/** The partitions of a slot, as paths of device nodes, and what a boot entry says of the first. */
export interface SlotPlaces extends SlotPartitions {
  readonly entry: EntryPartition;
}

export interface MachinePartitions extends Readonly<Record<SlotName, SlotPlaces>> {
  /** What the hands know of the slots. */
  readonly ledger: string;
}

/** The root file system as dm-verity opened it. */
export interface OpenedRoot extends RunningSlot {
  /** Of 4 KiB: its own hash area begins behind them. */
  readonly blocks: number;
}

const kernelPlaces: KernelPlaces = { commandLine: '/proc/cmdline', blocks: '/sys/class/block' };
/** systemd's, of the Boot Loader Interface: the stub says there which partition it was started from. */
export const loaderVendor = '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';
const startedFrom = 'LoaderDevicePartUUID';
/** A start that takes longer has gone wrong, and the watchdog ends it. */
const startWithinMs = 120_000;
const lookMs = 250;
const never = new AbortController().signal;

/** @returns the adapter; or `unavailable/not-supported` where the kernel shows no boot partitions of ours */
export const machineBootControl = ({
  variables,
  clock,
  startEndedPath,
  places = kernelPlaces,
  running = async () => runningSlot(variables, places),
}: MachineBootOptions): Result<BootControl> => {
  const found = machinePartitions(places);
  if (!found.ok) return found;
  const partitions = { a: found.value.a.entry, b: found.value.b.entry };
  const startEnded = async (): Promise<Result<void>> => {
    for (const untilMs = clock.bootMs() + startWithinMs; clock.bootMs() < untilMs; await clock.sleep(lookMs, never))
      if (isStartEnded(startEndedPath)) return done;
    return deny('resource', 'time-limit', 'the start does not come to its end');
  };
  return ok(efiBootControl({ variables, partitions, path: bootPath, running, startEnded }));
};

/** As the stub says it, and as the root file system was opened: both are covered by what the TPM measured. */
export const runningSlot = (variables: EfiVariables, places: KernelPlaces = kernelPlaces): Result<OpenedRoot> => {
  const words = commandLine(places);
  if (!words.ok) return words;
  const bytes = variables.read(startedFrom, loaderVendor);
  if (!bytes.ok) return bytes;
  const uuid = Buffer.from(bytes.value ?? [])
    .toString('utf16le')
    .replace(/\0.*$/, '')
    .toLowerCase();
  const slot = slotNames.find((name) => words.value.get(`enigm.${name}`) === uuid);
  const verityRoot = fromHex(words.value.get('enigm.verity') ?? '');
  const blocks = Number(words.value.get('enigm.blocks'));
  return slot === undefined || verityRoot?.length !== 32 || !Number.isSafeInteger(blocks)
    ? deny('unavailable', 'not-supported', `started from no slot: '${uuid}'`)
    : ok({ slot, verityRoot, blocks });
};

/** @returns where the slots lie; or `unavailable/not-supported` where the kernel shows no partitions of ours */
export const machinePartitions = (places: KernelPlaces = kernelPlaces): Result<MachinePartitions> => {
  const words = commandLine(places);
  if (!words.ok) return words;
  return attempt(() => {
    const blocks = blocksByName(places);
    const blockOf = (name: string): string => blocks.get(name) ?? missing(`partition ${name}`);
    const nodeOf = (name: string): string => `/dev/${blockOf(name)}`;
    const placesOf = (slot: SlotName): SlotPlaces => ({
      boot: nodeOf(`esp-${slot}`),
      root: nodeOf(`root-${slot}`),
      // The command line names it, since sysfs shows no unique id of a partition.
      entry: {
        uuid: words.value.get(`enigm.${slot}`) ?? missing(`word enigm.${slot}`),
        ...placeOf(join(places.blocks, blockOf(`esp-${slot}`))),
      },
    });
    return { a: placesOf('a'), b: placesOf('b'), ledger: nodeOf('ledger') };
  }, notSupported);
};

const missing = (what: string): never => {
  throw new Error(`no ${what}`);
};

/** Name of a partition in the table, and name of its device. */
const blocksByName = ({ blocks }: KernelPlaces): ReadonlyMap<string, string> =>
  new Map(readdirSync(blocks).map((block) => [factsOf(join(blocks, block)).get('PARTNAME') ?? '', block] as const));

const placeOf = (path: string): Omit<EntryPartition, 'uuid'> => {
  const numberIn = (file: string) => Number(readFileSync(join(path, file), 'latin1'));
  return { number: Number(factsOf(path).get('PARTN')), startSector: numberIn('start'), sectors: numberIn('size') };
};

/** `NAME=value` a line. */
const factsOf = (path: string): ReadonlyMap<string, string> =>
  pairs(readFileSync(join(path, 'uevent'), 'latin1').trimEnd().split('\n'));

const commandLine = (places: KernelPlaces): Result<ReadonlyMap<string, string>> =>
  attempt(() => pairs(readFileSync(places.commandLine, 'latin1').trim().split(' ')), notSupported);

const pairs = (words: readonly string[]): ReadonlyMap<string, string> =>
  new Map(words.map((word) => [word.replace(/=.*$/, ''), word.replace(/^[^=]*=?/, '')] as const));

const notSupported = (cause: string) => deny('unavailable', 'not-supported', cause);
