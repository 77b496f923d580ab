/**
 * hal/native/addon/*.cc → build/native/tpm.node (release: the kernel's device only, SR-04) and
 * build/native/tpm-sim.node (adds swtpm, the TPM inside the process and the codec oracle).
 *
 * One g++ line each; no node-gyp, no install script. Nothing is done when the sources and the command are those of the
 * last build. Exit code 3: something is not installed, and one sentence on stderr says what to do; callers go on without.
 *
 * usage: node tools/build/addon.ts [--release | --sim | --all]
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '../..');
const sources = join(root, 'hal/native/addon');
const output = join(root, 'build/native');
const includes = [
  join(root, `tools/node/node_modules/node-linux-${process.arch}/include/node`),
  join(root, 'node_modules/node-addon-api'),
];

interface Addon {
  readonly file: string;
  readonly sources: readonly string[];
  /** pkg-config packages: compiled against, and linked where `isLinked`. */
  readonly packages: readonly { readonly name: string; readonly debian: string; readonly isLinked: boolean }[];
}

const linked = (name: string) => ({ name, debian: 'libtss2-dev', isLinked: true });
const common = [
  'block_digests.cc',
  'esys_object.cc',
  'interrupt.cc',
  'peer.cc',
  'program.cc',
  'session.cc',
  'tcti.cc',
  'tcti_device.cc',
  'worker.cc',
];
const libraries = [
  ...['tss2-esys', 'tss2-mu', 'tss2-rc', 'tss2-tcti-device'].map(linked),
  // The one that the TPM stack has loaded anyhow.
  { name: 'libcrypto', debian: 'libssl-dev', isLinked: true },
];

const addons = {
  release: { file: 'tpm.node', sources: [...common, 'release.cc'], packages: libraries },
  sim: {
    file: 'tpm-sim.node',
    sources: [...common, 'codec_oracle.cc', 'sim.cc', 'tcti_embedded.cc', 'tcti_socket.cc'],
    packages: [...libraries, { name: 'libtpms', debian: 'libtpms-dev', isLinked: false }],
  },
} as const satisfies Record<string, Addon>;

const flags = [
  ...['-O2', '-Wall', '-Wextra', '-Werror', '-std=c++20', '-shared', '-fPIC', '-fvisibility=hidden'],
  ...['-D_FORTIFY_SOURCE=2', '-fstack-protector-strong', '-Wl,-z,relro,-z,now', '-Wl,-z,noexecstack'],
  ...['-DNAPI_VERSION=9', '-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL', ...includes.flatMap((path) => ['-isystem', path])],
];

/** The Debian packages (or the step) that are missing, in the words of the sentence. */
const missing = ({ packages }: Addon): string[] => {
  const succeeds = (command: string, ...options: string[]) => spawnSync(command, options, { stdio: 'ignore' }).status === 0;
  if (!succeeds('pkg-config', '--version')) return ['pkg-config', 'g++', 'libtss2-dev', 'libtpms-dev'];
  const absent = packages.filter(({ name }) => !succeeds('pkg-config', '--exists', name)).map(({ debian }) => debian);
  return [...new Set([...(succeeds('g++', '--version') ? [] : ['g++']), ...absent])];
};

const commandOf = ({ sources: files, packages }: Addon): string[] => {
  const query = (option: string, names: readonly string[]) =>
    spawnSync('pkg-config', [option, ...names], { encoding: 'utf8' })
      .stdout.split(/\s+/)
      .filter((word) => word !== '');
  const names = packages.map(({ name }) => name);
  const links = packages.filter(({ isLinked }) => isLinked).map(({ name }) => name);
  return ['g++', ...flags, ...query('--cflags', names), ...files.map((file) => join(sources, file)), ...query('--libs', links)];
};

/** What the result depends on: the command, the compiler and every source. */
const fingerprint = (command: readonly string[]): string => {
  const hash = createHash('sha256').update(JSON.stringify(command));
  hash.update(spawnSync('g++', ['--version'], { encoding: 'utf8' }).stdout);
  for (const file of readdirSync(sources).sort()) hash.update(`\0${file}\0`).update(readFileSync(join(sources, file)));
  return hash.digest('hex');
};

/** @returns the exit code of the compiler, or 0 if there was nothing to do */
const build = async (addon: Addon): Promise<number> => {
  const [compiler = '', ...options] = commandOf(addon);
  const target = join(output, addon.file);
  const print = fingerprint([compiler, ...options]);
  if (existsSync(target) && existsSync(`${target}.stamp`) && readFileSync(`${target}.stamp`, 'utf8') === print) return 0;
  mkdirSync(output, { recursive: true });
  // Renamed when whole: a process that has the old file loaded keeps it, and two builds at once do no harm.
  const fresh = `${target}.${process.pid}`;
  const child = spawn(compiler, [...options, '-o', fresh], { stdio: 'inherit' });
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? 1)));
  if (code !== 0) return code;
  renameSync(fresh, target);
  writeFileSync(`${target}.stamp`, print);
  return 0;
};

const main = async (): Promise<number> => {
  const option = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({ options: { release: option, sim: option, all: option } });
  const isAll = values.all || values.release === values.sim;
  const wanted: Addon[] = [];
  if (isAll || values.release) wanted.push(addons.release);
  if (isAll || values.sim) wanted.push(addons.sim);

  const absent = [...new Set(wanted.flatMap(missing))];
  if (absent.length > 0) {
    console.error(`The TPM addon cannot be built: apt-get install ${absent.join(' ')}`);
    return 3;
  }
  const headers = includes.filter((path) => !existsSync(path));
  if (headers.length > 0) {
    console.error(`The TPM addon cannot be built: ${headers.join(' and ')} is not there; run \`make\` first`);
    return 3;
  }
  return Math.max(...(await Promise.all(wanted.map(build))));
};

process.exitCode = await main();
