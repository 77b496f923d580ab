/** The Debian packages that an image is taken from, unpacked: nothing of them runs here, and no root is needed. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './tools.ts';

/** What is asked for; what these need comes along. */
export const basePackages = [
  ...['busybox-static', 'libc6', 'libstdc++6', 'libgcc-s1', 'linux-image-amd64', 'kmod'],
  ...['libtss2-esys-3.0.2-0', 'libtss2-tcti-device0', 'libtss2-mu0', 'libtss2-rc0', 'libtss2-sys1'],
  ...['tpm2-openssl', 'libtss2-tcti-mssim0'],
  ...['cryptsetup-bin', 'nftables', 'e2fsprogs', 'util-linux'],
] as const;
const suite = 'bookworm';

export interface Base {
  /** The unpacked tree. */
  readonly folder: string;
  /** `name_version_architecture` of every package in it, sorted: the record of what an image was made of. */
  readonly packages: readonly string[];
  /** Of the kernel in it, as its folder of modules is named. */
  readonly kernel: string;
}

/** Pages and hardware tables that no image takes a file from. */
const leftOut = ['./dev/*', './usr/share/man/*', './usr/share/doc/*', './usr/share/locale/*', './lib/udev/hwdb.d/*'];

/**
 * Unpacks once into the cache and takes it from there afterwards; another list of packages is another entry.
 * @param cache folder that outlives builds
 */
export const unpackBase = async (cache: string, say: (line: string) => void): Promise<Base> => {
  const name = createHash('sha256')
    .update([suite, ...basePackages, ...leftOut].join(' '))
    .digest('hex')
    .slice(0, 16);
  const folder = join(cache, `base-${name}`);
  if (!existsSync(folder)) {
    say(`fetching ${basePackages.length} packages of Debian ${suite}, and what they need …`);
    mkdirSync(cache, { recursive: true });
    const archive = join(cache, `base-${name}.tar`);
    const begun = `${folder}.begun`;
    rmSync(begun, { recursive: true, force: true });
    mkdirSync(begun);
    const include = `--include=${basePackages.join(',')}`;
    const listed = join(cache, `base-${name}.packages`);
    // Nothing is installed, so nothing but the files that were fetched says what there is.
    const list = `--extract-hook=ls "$1/var/cache/apt/archives" > '${listed}'`;
    await runTool('mmdebstrap', ['--quiet', '--mode=chrootless', '--variant=extract', include, list, suite, archive]);
    await runTool('tar', ['-xf', archive, '-C', begun, '--no-same-owner', ...leftOut.map((path) => `--exclude=${path}`)]);
    rmSync(archive);
    await runTool('depmod', ['-b', begun, kernelIn(begun)]);
    writeFileSync(join(begun, 'packages'), packageNames(readFileSync(listed, 'utf8')));
    renameSync(begun, folder);
  }
  const packages = readFileSync(join(folder, 'packages'), 'utf8').trimEnd().split('\n');
  return { folder, packages, kernel: kernelIn(folder) };
};

const kernelIn = (folder: string): string => {
  const [kernel, ...more] = readdirSync(join(folder, 'lib/modules'));
  if (kernel === undefined || more.length > 0) throw new Error('the base has not exactly one kernel');
  return kernel;
};

const packageNames = (listing: string): string =>
  listing
    .split('\n')
    .filter((name) => name.endsWith('.deb'))
    .map((name) => `${decodeURIComponent(name.slice(0, -'.deb'.length))}\n`)
    .toSorted()
    .join('');
