/**
 * What is released: a Debian package, and a tarball of the same files that is unpacked at `/`. The same build gives the same
 * bytes, wherever and whenever it is packed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type InstalledFile, installedFiles } from '#agents/package/files';
import { utf8 } from '#hal/core/bytes';
import { type BillParts, billOfMaterials, type NpmBill } from './bill.ts';
import { compressed } from './compressed.ts';
import { debianPackage } from './deb.ts';
import { documents } from './documents.ts';
import { scripts } from './scripts.ts';
import { shippedFolders } from './shipped.ts';
import { treeArchive } from './tree.ts';

/** Debian's word for x64, the one processor that is packed. */
const architecture = 'amd64';

const depends = [
  ...['libc6 (>= 2.36)', 'libstdc++6', 'libgcc-s1', 'libssl3', 'libtss2-esys-3.0.2-0', 'libtss2-mu0', 'libtss2-rc0'],
  ...['libtss2-tcti-device0', 'nftables', 'passwd'],
  ...['systemd | systemd-standalone-sysusers', 'systemd | systemd-standalone-tmpfiles'],
];

export interface DistOptions {
  /** Folder of a build that is whole. */
  readonly project: string;
  /** Where the results go. */
  readonly folder: string;
  /** Of every file, whatever the clock says (reproducible-builds.org). */
  readonly timeSeconds: number;
}

export interface Distribution {
  /** Whole paths. */
  readonly package: string;
  readonly tarball: string;
  readonly bill: string;
}

export const distribution = ({ project, folder, timeSeconds }: DistOptions): Distribution => {
  const node = process.execPath;
  const nodeBytes = new Uint8Array(readFileSync(node));
  refuseOtherNode(nodeBytes, readFileSync(join(project, 'tools/node/SHA256SUMS'), 'utf8'));
  const read = <T>(path: string) => JSON.parse(readFileSync(join(project, path), 'utf8')) as T;
  const { version } = read<{ readonly version: string }>('package.json');
  const inputs = read<BillParts['inputs']>('dist/inputs.json');
  const bill = utf8(
    `${JSON.stringify(
      billOfMaterials({
        ...{ bill: npmBill(project), lock: read<BillParts['lock']>('package-lock.json'), inputs, timeSeconds },
        node: { bytes: nodeBytes, versions: process.versions },
      }),
      null,
      2,
    )}\n`,
  );
  const files = [
    ...installedFiles({ node, programs: join(project, 'dist/device'), addon: join(project, 'build/native/tpm.node') }),
    ...documents(project, node, shippedFolders(inputs), bill),
  ].toSorted((one, other) => (one.path < other.path ? -1 : 1));
  const data = compressed(treeArchive(files, timeSeconds));
  const control = controlOf(version, files);

  const name = `enigm-device_${version}`;
  const names = { package: `${name}_${architecture}.deb`, tarball: `${name}_${architecture}.tar.zst`, bill: `${name}.cdx.json` };
  const outputs = [
    [names.package, debianPackage({ control, scripts, files, data, timeSeconds })],
    [names.tarball, data],
    [names.bill, bill],
  ] as const;
  mkdirSync(folder, { recursive: true });
  for (const [file, bytes] of outputs) writeFileSync(join(folder, file), bytes);
  writeFileSync(join(folder, 'SHA256SUMS'), outputs.map(([file, bytes]) => `${sha256(bytes)}  ${file}\n`).join(''));
  return {
    ...{ package: join(folder, names.package), tarball: join(folder, names.tarball) },
    bill: join(folder, names.bill),
  };
};

/** deb-control(5). */
const controlOf = (version: string, files: readonly InstalledFile[]): ReadonlyMap<string, string> => {
  const bytes = files.reduce((sum, file) => sum + ('read' in file ? file.read().length : 0), 0);
  return new Map([
    ['Package', 'enigm-device'],
    ['Version', version],
    ['Architecture', architecture],
    ['Maintainer', 'Enigm Device maintainers <maintainers@enigm.example>'],
    ['Installed-Size', String(Math.ceil(bytes / 1024))],
    ['Depends', depends.join(', ')],
    // Without it the mouth has a key in memory, and posture says so.
    ['Recommends', 'tpm2-openssl'],
    ['Section', 'admin'],
    ['Priority', 'optional'],
    ['Description', 'agents of an Enigm OS device\n They prove what it booted, show its state, and decide what it may do.'],
  ]);
};

/** SR-34: what ships is the Node.js whose hash is committed. */
const refuseOtherNode = (bytes: Uint8Array, sums: string): void => {
  if (process.arch !== 'x64') throw new Error(`packages are made for x64 alone, and this is ${process.arch}`);
  if (!sums.split('\n').includes(`${sha256(bytes)}  node-linux-x64`))
    throw new Error('this Node.js is not the one that is pinned: run make dist');
};

/** Of the whole lock: with `--omit dev` npm 11 leaves out what development uses too, protobufjs among it. */
const npmBill = (project: string): NpmBill => {
  const npm = join(project, 'tools/node/node_modules/npm/bin/npm-cli.js');
  const words = [npm, 'sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: project, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`npm sbom: ${stderr}`);
  return JSON.parse(stdout) as NpmBill;
};

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
