/**
 * Builds what a machine of the simulator starts: root file system, boot image of a slot, disk, firmware variables. The
 * same packages, programs and keys give the same bytes, signatures included.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { floorApprovalsPath } from '#agents/programs/layout';
import { concat, toHex } from '#hal/core/bytes';
import { type BootEntry, bootPath } from '#hal/core/efi-load-option';
import { writeFloorApprovals } from '#hal/core/floor-approval';
import { unwrap } from '#hal/core/result';
import { entryNumbers } from '#hal/linux/efi-boot-control';
import { wholeBlocks } from '#ota-client/payload/image';
import { blockBytes } from '#ota-client/payload/limits';
import { approveFloor, bootApprover, policyKeyIn } from './approval.ts';
import { unpackBase } from './base.ts';
import { bootFileSystem, type PartitionName, partitionNamed, partitions, writeDisk } from './disk.ts';
import { hashAreaOf } from './hash-area.ts';
import { buildInitrd } from './initrd.ts';
import { type ImageKeys, imageKeysIn } from './keys.ts';
import { recoveryImage } from './recovery.ts';
import { writeRecoveryTree } from './recovery-tree.ts';
import { registersAtStart } from './references.ts';
import { writeRootTree } from './root-tree.ts';
import { buildTimeSeconds, runTool, stubPath } from './tools.ts';
import { type Uki, type UkiParts, unifiedImage } from './uki.ts';
import { bootVariables, certificatesOf, secureBootVariables, writeVariables } from './variable-store.ts';

export interface ImageSources {
  readonly node: string;
  readonly programs: string;
  readonly addon: string;
  /** build/native/first-root. */
  readonly firstRoot: string;
  /** Files beside them, by path. */
  readonly more: ReadonlyMap<string, string | Uint8Array>;
  /** dist/recovery/recover.cjs. */
  readonly recoveryProgram: string;
  /** Files of the root file system of recovery, by path. */
  readonly recoveryFiles: ReadonlyMap<string, string | Uint8Array>;
  /** Folder of the scripts that a machine starts with. */
  readonly scripts: string;
  /** Words for the kernel, beside those that name the root. */
  readonly kernelWords: readonly string[];
  /** Packages that were unpacked before. */
  readonly cache: string;
  readonly keys: string;
  /** Of the release that the image becomes. */
  readonly floorEpoch: number;
}

export interface BuiltImage {
  /** Whole slots: what is written to the partitions of one. */
  readonly root: Uint8Array;
  readonly boot: Uint8Array;
  readonly uki: Uki;
  /** What the boot image was made of. */
  readonly parts: UkiParts;
  readonly keys: ImageKeys;
}

/** Empty variable store of the firmware with Secure Boot in system management mode. */
export const variablesTemplate = '/usr/share/OVMF/OVMF_VARS_4M.fd';

/** The order is the order of preference. */
const bootPlaces: readonly (readonly [number: number, title: string, partition: PartitionName])[] = [
  [entryNumbers.a, 'Enigm OS, slot A', 'esp-a'],
  [entryNumbers.b, 'Enigm OS, slot B', 'esp-b'],
  [entryNumbers.recovery, 'Enigm OS, recovery', 'recovery'],
];
export const bootEntries: ReadonlyMap<number, BootEntry> = new Map(
  bootPlaces.map(([number, title, name]) => {
    const partition = { ...partitionNamed(name), number: partitions.findIndex((place) => place.name === name) + 1 };
    return [number, { title, path: bootPath, partition }];
  }),
);

/** Of every image that the kernel starts with. */
const commonWords = ['console=ttyS0', 'panic=1', 'no_timer_check', 'lockdown=integrity', 'module.sig_enforce=1', 'quiet'];

const fileSystemUuid = '656e6967-6d00-4000-9000-000000000001';
const verity = { salt: new Uint8Array(), uuid: new Uint8Array(Buffer.from('656e69676d0040009000000000000002', 'hex')) };
/** What the kernel is told of a root file system, and where the slots are. */
const rootWords = (root: Uint8Array, verityRoot: Uint8Array): readonly string[] => [
  ...[`enigm.verity=${toHex(verityRoot)}`, `enigm.blocks=${root.length / blockBytes}`],
  ...[`enigm.a=${partitionNamed('esp-a').uuid}`, `enigm.b=${partitionNamed('esp-b').uuid}`],
];

/** @param folder for work and results: root.img, recovery.img, uki.efi, boot.img, disk.img, variables.fd, digests.json */
export const buildImage = async (folder: string, sources: ImageSources, say: (line: string) => void): Promise<BuiltImage> => {
  const base = await unpackBase(sources.cache, say);
  const keys = await imageKeysIn(sources.keys);
  mkdirSync(folder, { recursive: true });

  say('root file system …');
  const { node, programs, addon, firstRoot, recoveryProgram: program, recoveryFiles: files, floorEpoch } = sources;
  const policyKey = policyKeyIn(sources.keys);
  const floor = writeFloorApprovals(approveFloor(policyKey, floorEpoch));
  const more = new Map([...sources.more, [floorApprovalsPath.slice(1), floor]]);
  const script = (name: string) => readFileSync(join(sources.scripts, name), 'utf8');
  const init = script('init.sh');
  const root = await fileSystem(folder, 'root', (tree) => writeRootTree(tree, { base, node, programs, addon, more, init }));
  const { area, root: verityRoot } = hashAreaOf(root, verity);
  const recoveryRoot = await fileSystem(folder, 'recovery', (tree) => writeRecoveryTree(tree, { base, node, program, files }));
  const recoveryTree = hashAreaOf(recoveryRoot, verity);

  say('boot image …');
  const initrd = await buildInitrd(base, { script: script('initrd.sh'), program: firstRoot });
  const commandLine = [...commonWords, ...rootWords(root, verityRoot), ...sources.kernelWords].join(' ');
  const kernel = new Uint8Array(readFileSync(join(base.folder, `boot/vmlinuz-${base.kernel}`)));
  const stub = new Uint8Array(readFileSync(stubPath));
  const release = 'ID=enigm\nNAME="Enigm OS"\n';
  const approver = bootApprover(policyKey, (measured) => registersAtStart(measured, keys), floorEpoch);
  const parts = { stub, kernel, initrd, commandLine, release, approver };
  const uki = unwrap(unifiedImage(parts, keys.release));
  const boot = await bootFileSystem(uki.file);
  const recovery = await recoveryImage(
    base,
    keys,
    { stub, kernel, release, commandLine: [...commonWords, ...rootWords(recoveryRoot, recoveryTree.root)].join(' ') },
    { script: script('recovery.sh'), program: firstRoot },
    bootVariables(bootEntries),
  );

  say('disk …');
  const slot = concat(root, area);
  writeDisk(join(folder, 'disk.img'), {
    recovery: await bootFileSystem(recovery),
    'esp-a': boot,
    'esp-b': boot,
    'root-a': slot,
    'root-b': slot,
    'recovery-root': concat(recoveryRoot, recoveryTree.area),
  });
  writeFileSync(join(folder, 'variables.fd'), factoryVariables(keys));
  writeFileSync(join(folder, 'uki.efi'), uki.file);
  writeFileSync(join(folder, 'boot.img'), boot);
  const artefacts = ['root.img', 'recovery.img', 'uki.efi', 'boot.img', 'disk.img', 'variables.fd'];
  const digests = Object.fromEntries(artefacts.map((name) => [name, digestOf(join(folder, name))]));
  writeFileSync(
    join(folder, 'image.json'),
    `${JSON.stringify({ packages: base.packages, verityRoot: toHex(verityRoot), pcr11: toHex(uki.pcr11), digests }, null, 2)}\n`,
  );
  return { root: slot, boot, uki, parts, keys };
};

/** @param write makes its tree. @returns whole blocks; tree and image stay in the folder under this name */
const fileSystem = async (folder: string, name: string, write: (tree: string) => Promise<void>): Promise<Uint8Array> => {
  const tree = join(folder, name);
  const image = join(folder, `${name}.img`);
  rmSync(tree, { recursive: true, force: true });
  rmSync(image, { force: true });
  await write(tree);
  await runTool('makeErofs', [
    '-zlz4hc,9',
    `-T${buildTimeSeconds}`,
    `-U${fileSystemUuid}`,
    '--all-root',
    '-x-1',
    '--quiet',
    image,
    tree,
  ]);
  return wholeBlocks(new Uint8Array(readFileSync(image)));
};

const factoryVariables = (keys: ImageKeys): Uint8Array => {
  const secureBoot = secureBootVariables(certificatesOf(keys));
  return unwrap(writeVariables(new Uint8Array(readFileSync(variablesTemplate)), [...secureBoot, ...bootVariables(bootEntries)]));
};

const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
