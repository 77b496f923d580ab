/** The root file system of a machine as a folder: what the allow-list names, what that needs, and what every device has installed. */
import { chmodSync, cpSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installedFiles } from '#agents/package/files';
import { group, passwd } from '#agents/package/user-list';
import type { Base } from './base.ts';
import { fileIn, librariesOf } from './closure.ts';
import { busyboxCommands, rootLibraries, rootModules, rootPrograms, rootProviders } from './contents.ts';
import { modulesInOrder } from './modules.ts';
import { runTool } from './tools.ts';

export interface RootParts {
  readonly base: Base;
  /** The pinned Node.js. */
  readonly node: string;
  /** dist/device. */
  readonly programs: string;
  /** build/native/tpm.node. */
  readonly addon: string;
  /** `/sbin/init`. */
  readonly init: string;
  /** Contents by path, beside all that. */
  readonly more: ReadonlyMap<string, string | Uint8Array>;
}

/** Empty folders that something is mounted on. */
const mountPoints = ['dev', 'proc', 'sys', 'run', 'tmp', 'var/lib/enigm'] as const;

export const writeRootTree = async (root: string, parts: RootParts): Promise<void> => {
  const { base, node, programs, addon, init, more } = parts;
  const put = (from: string, to: string, mode: number): void => {
    const path = join(root, to);
    mkdirSync(dirname(path), { recursive: true });
    cpSync(from, path);
    chmodSync(path, mode);
  };
  const write = (to: string, contents: string | Uint8Array, mode = 0o644): void => {
    const path = join(root, to);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
    chmodSync(path, mode);
  };
  for (const folder of mountPoints) mkdirSync(join(root, folder), { recursive: true });

  const addons = readdirSync(programs).filter((name) => name.endsWith('.node'));
  const linked = [node, addon, ...addons.map((name) => join(programs, name))];
  const taken = [...rootPrograms, ...rootProviders];
  const fromBase = taken.map((path) => fileIn(base.folder, path));
  for (const path of await librariesOf(base.folder, [...linked, ...fromBase], rootLibraries))
    put(fileIn(base.folder, path), path, 0o755);
  for (const path of taken) put(fileIn(base.folder, path), path, 0o755);
  for (const file of installedFiles({ node, programs, addon })) {
    const path = join(root, file.path);
    mkdirSync(dirname(path), { recursive: true });
    if ('target' in file) symlinkSync(file.target, path);
    else {
      writeFileSync(path, file.read());
      chmodSync(path, file.mode);
    }
  }
  // For whoever looks at the machine by its shell.
  symlinkSync('../lib/enigm/node', join(root, 'usr/bin/node'));

  put(join(base.folder, 'bin/busybox'), 'bin/busybox', 0o755);
  for (const command of busyboxCommands) symlinkSync('busybox', join(root, 'bin', command));
  write('sbin/init', init, 0o755);

  for (const path of await modulesInOrder(base, rootModules)) put(join(base.folder, path), path, 0o644);
  for (const list of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'])
    put(join(base.folder, 'lib/modules', base.kernel, list), `lib/modules/${base.kernel}/${list}`, 0o644);
  await runTool('depmod', ['-b', root, base.kernel]);
  write('etc/passwd', passwd());
  write('etc/group', group());
  write('etc/enigm/modules', `${rootModules.join('\n')}\n`);
  write('etc/enigm/packages', `${base.packages.join('\n')}\n`);
  for (const [path, contents] of more) write(path, contents);
  setModes(root);
};

/** Folders as they are on every machine, whatever the umask of the builder. */
export const setModes = (folder: string): void => {
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!lstatSync(path).isSymbolicLink() && statSync(path).isDirectory()) setModes(path);
  }
};
