/**
 * A root file system as an image, by the system's own tool: EROFS, read-only and compressed. Nothing of the machine that
 * builds gets into it: owner, times and UUID are fixed, so the same tree with the same tool gives the same bytes.
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { toHex, utf8 } from '#hal/core/bytes';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { linuxCommands } from '#hal/linux/commands';
import type { Commands } from '#hal/ports/commands';
import { wholeBlocks } from '#ota-client/payload/image';

/** Contents by path from the root, without a slash at the start. */
export type Tree = ReadonlyMap<string, Uint8Array>;

export interface ImageOptions {
  /** Of the file system: 16 bytes. */
  readonly uuid: Uint8Array;
  /** Of every file: seconds since 1970. */
  readonly timeSeconds?: number;
  readonly commands?: Commands;
}

export type BuildImage = (tree: Tree, options: ImageOptions) => Promise<Result<Uint8Array>>;

export const imageTool = '/usr/bin/mkfs.erofs';

/** Many times what it takes: a machine that is busy must not look like one without the tool. */
const timeoutMs = 120_000;

const treePath = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** @returns whole blocks of 4 KiB; or `unavailable/not-supported` without the tool, `protocol/field-invalid` for a path, `resource/time-limit` */
export const buildRootImage: BuildImage = async (tree, { uuid, timeSeconds = 0, commands = linuxCommands({ timeoutMs }) }) => {
  const wrong = [...tree.keys()].find((path) => !treePath.test(path));
  if (wrong !== undefined) return deny('protocol', 'field-invalid', `path ${wrong.slice(0, 80)}`);
  const folder = mkdtempSync(join(tmpdir(), 'enigm-image-'));
  try {
    const root = join(folder, 'root');
    writeTree(root, tree);
    const image = join(folder, 'image');
    const words = ['-zlz4hc,9', `-T${timeSeconds}`, `-U${uuidText(uuid)}`, '--all-root', '-x-1', '--quiet', image, root];
    const made = await commands.run(imageTool, words);
    return made.ok ? ok(wholeBlocks(new Uint8Array(readFileSync(image)))) : made;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** In the order of the paths, and with modes that no umask changes. */
const writeTree = (root: string, tree: Tree): void => {
  const directories = new Set([root]);
  for (const path of [...tree.keys()].sort()) {
    const file = join(root, path);
    for (let folder = dirname(file); !directories.has(folder); folder = dirname(folder)) directories.add(folder);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, tree.get(path) ?? new Uint8Array());
    chmodSync(file, 0o644);
  }
  for (const folder of directories) chmodSync(folder, 0o755);
};

export const uuidText = (uuid: Uint8Array): string => toHex(uuid).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

export interface TreeOptions {
  /** Folder of the device's programs. */
  readonly programs: string;
  readonly id: string;
  readonly counter: number;
  readonly floorEpoch: number;
  /** Simulator mark: the health gate of a trial of this image says no. */
  readonly isUnhealthy?: boolean;
}

export const unhealthyMark = 'etc/enigm/unhealthy';

/** What the device runs, and which release it is. @returns the tree, or `unavailable/not-found` where nothing is built */
export const deviceTree = ({ programs, id, counter, floorEpoch, isUnhealthy = false }: TreeOptions): Result<Tree> =>
  attempt(
    () =>
      new Map([
        ...readdirSync(programs).map(
          (name) => [`usr/lib/enigm/${name}`, new Uint8Array(readFileSync(join(programs, name)))] as const,
        ),
        ['etc/os-release', utf8(`NAME="Enigm OS"\nID=enigm\nVERSION_ID=${counter}\n`)],
        ['etc/enigm/release', utf8(`id=${id}\ncounter=${counter}\nfloor=${floorEpoch}\n`)],
        ...(isUnhealthy ? [[unhealthyMark, utf8('a trial of this release must not pass its health gate\n')] as const] : []),
      ]),
    (cause) => deny('unavailable', 'not-found', cause),
  );
