/**
 * The root file system of recovery as a folder: the program that repairs a slot, and what that needs.
 *
 * It has a partition of its own and is opened by its hash in the signed command line, only where no slot starts. In the boot
 * image it would be read and measured at each start: Node.js is several times what the script needs.
 */
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installed } from '#agents/package/places';
import type { Base } from './base.ts';
import { fileIn, librariesOf } from './closure.ts';
import { recoveryRootPrograms } from './contents.ts';
import { setModes } from './root-tree.ts';

export interface RecoveryRoot {
  readonly base: Base;
  /** The pinned Node.js. */
  readonly node: string;
  /** dist/recovery/recover.cjs. */
  readonly program: string;
  /** Contents by path: whom it believes, and what a simulator adds. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
}

/** Empty folders that something is mounted on. */
const mountPoints = ['dev', 'proc', 'sys', 'run'] as const;

export const writeRecoveryTree = async (root: string, { base, node, program, files }: RecoveryRoot): Promise<void> => {
  const programs = recoveryRootPrograms.map((path) => fileIn(base.folder, path));
  const libraries = await librariesOf(base.folder, [node, ...programs]);
  const copied: readonly (readonly [path: string, from: string, mode: number])[] = [
    [installed.node.slice(1), node, 0o755],
    [`${installed.programs.slice(1)}/recover.cjs`, program, 0o644],
    ...[...libraries, ...recoveryRootPrograms].map((path) => [path, fileIn(base.folder, path), 0o755] as const),
  ];
  for (const folder of mountPoints) mkdirSync(join(root, folder), { recursive: true });
  for (const [path, from, mode] of copied) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(from, join(root, path));
    chmodSync(join(root, path), mode);
  }
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), 0o644);
  }
  setModes(root);
};
