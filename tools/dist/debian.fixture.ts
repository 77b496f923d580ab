/** A fresh Debian root, in which programs run as their units say, without a systemd that runs. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const tools = ['/usr/bin/mmdebstrap', '/usr/bin/unshare', '/usr/bin/setpriv', '/usr/bin/systemd-analyze', '/usr/bin/zstd'];
/** A sentence where this machine cannot do it. */
export const missingForDebian = (): string | undefined => {
  if (process.getuid?.() !== 0) return 'needs root, who alone may change roots and users';
  const absent = tools.find((path) => !existsSync(path));
  return absent === undefined ? undefined : `needs ${absent}: make setup-machine installs it`;
};

export interface DebianRoot extends Disposable {
  readonly folder: string;
  /** Runs one command inside, to its end. */
  run(...words: readonly string[]): { readonly status: number | null; readonly out: string; readonly error: string };
  /** Starts what a unit starts, as whom and with what it says. Standard error goes to `log`. */
  start(unit: string, log: number): ChildProcess;
  /** Processes that have it as their root. */
  processes(): readonly number[];
  /** Paths of everything in it, sorted. */
  files(): readonly string[];
}

const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };

/** @param cache folder that outlives tests. @param packages that are in the root before anything of ours */
export const freshDebian = (cache: string, packages: readonly string[]): DebianRoot => {
  const archive = debianArchive(cache, packages);
  const folder = mkdtempSync('/var/tmp/enigm-debian-');
  succeed(spawnSync('tar', ['-xf', archive, '-C', folder, '--exclude=./dev/*']));
  // As a machine has them; nothing else of /dev is there.
  for (const [name, number] of [
    ['null', 3],
    ['zero', 5],
    ['random', 8],
    ['urandom', 9],
  ] as const)
    succeed(spawnSync('mknod', ['-m', '666', join(folder, 'dev', name), 'c', '1', String(number)]));
  mkdirSync(join(folder, 'dev/pts'));
  return {
    folder,
    run(...words) {
      const { status, stdout, stderr } = spawnSync('unshare', [...mounted(folder, []), ...words], {
        env: environment,
        encoding: 'utf8',
        timeout: 300_000,
      });
      return { status, out: stdout, error: stderr };
    },
    start: (unit, log) => startUnit(folder, unit, log),
    processes: () => processesIn(folder),
    files: () => filesIn(folder),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
};

/** By find(1), which follows no link: `var/run` leads to the /run of the machine that tests. */
const filesIn = (folder: string): readonly string[] => {
  const words = [folder, '-mindepth', '1', '-printf', '%P\\n'];
  const found = spawnSync('find', words, { encoding: 'utf8', maxBuffer: mostListedBytes });
  succeed(found);
  return found.stdout
    .split('\n')
    .filter((path) => path !== '' && !path.startsWith('dev/'))
    .toSorted();
};
const mostListedBytes = 16 * 1024 * 1024;

const debianArchive = (cache: string, packages: readonly string[]): string => {
  const name = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 16);
  const archive = join(cache, `debian-${name}.tar`);
  if (!existsSync(archive)) {
    mkdirSync(cache, { recursive: true });
    const begun = `${archive}.begun.tar`;
    const options = ['--quiet', '--mode=root', '--variant=essential', `--include=${packages.join(',')}`];
    succeed(spawnSync('mmdebstrap', [...options, 'bookworm', begun], { env: environment }));
    renameSync(begun, archive);
  }
  return archive;
};

/** Words for `unshare`: a view of the root with what every machine mounts, gone with the process. `writes` stay writable. */
const mounted = (folder: string, writes: readonly string[] | undefined, more: readonly string[] = []): readonly string[] => {
  const isStrict = (writes?.length ?? 0) > 0;
  const script = [
    'root=$1; shift',
    'mount --bind "$root" "$root"',
    ...(isStrict ? [...(writes ?? []).map((path) => `mount --bind "$root${path}" "$root${path}"`)] : []),
    ...(isStrict ? ['mount -o remount,bind,ro "$root"', 'mount -t tmpfs -o noexec tmp "$root/tmp"'] : []),
    'mount --rbind /proc "$root/proc"',
    'mount --rbind /sys "$root/sys"',
    'mount --bind /dev/pts "$root/dev/pts"',
    'exec chroot "$root" "$@"',
  ].join('\n');
  return [...more, '--mount', '--propagation', 'private', 'sh', '-euc', script, 'sh', folder];
};

/** The part of systemd.exec(5) that needs no systemd: user, groups, capabilities, umask, network, what may be written. */
const startUnit = (folder: string, unit: string, log: number): ChildProcess => {
  const lines = readFileSync(join(folder, 'usr/lib/systemd/system', unit), 'utf8').split('\n');
  const values = (key: string) => lines.flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  const [user = '', [command = '']] = [values('User')[0], values('ExecStart')];
  const capabilities = (values('AmbientCapabilities')[0] ?? '')
    .split(' ')
    .filter((name) => name !== '')
    .map((name) => `+${name.slice('CAP_'.length).toLowerCase()}`);
  const allowed = ['-all', ...capabilities].join(',');
  const writes = values('ReadWritePaths')
    .flatMap((value) => value.split(' '))
    .filter((path) => !path.startsWith('-'));
  return spawn(
    'unshare',
    [
      ...mounted(folder, writes, values('PrivateNetwork')[0] === 'yes' ? ['--net'] : []),
      ...['setpriv', '--reuid', user, '--regid', values('Group')[0] ?? user, '--init-groups', '--no-new-privs'],
      ...['--bounding-set', allowed, '--inh-caps', allowed, '--ambient-caps', allowed],
      ...['sh', '-c', `umask ${values('UMask')[0]}; exec ${command}`],
    ],
    { env: { PATH: environment.PATH }, stdio: ['ignore', 'ignore', log] },
  );
};

const processesIn = (folder: string): readonly number[] =>
  readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/root`) === folder ? [Number(name)] : [];
    } catch {
      return [];
    }
  });

const succeed = ({ status, stderr }: { readonly status: number | null; readonly stderr: Buffer | string }): void => {
  if (status !== 0) throw new Error(String(stderr));
};
