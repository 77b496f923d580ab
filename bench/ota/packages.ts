/**
 * Which Debian packages the images are made of: named ones with all that they depend on, each in the newest version and in
 * the one before. The mirror moves on, so the method stands here and no version does; a report names what was found.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf } from './programs.ts';

/** What a small device has: a runtime, an init, a network, keys. */
const roots = [
  ...['nodejs', 'python3', 'systemd', 'systemd-resolved', 'libnss-resolve', 'openssl', 'curl', 'ca-certificates', 'tzdata'],
  ...['bluez', 'mosquitto', 'iproute2', 'nftables', 'wpasupplicant', 'iw', 'tpm2-tools', 'cryptsetup-bin', 'openssh-client'],
  ...['bubblewrap', 'dbus', 'libxml2', 'xz-utils', 'less', 'procps', 'kmod', 'e2fsprogs', 'erofs-utils', 'sqlite3', 'chrony'],
  ...['network-manager', 'modemmanager'],
];
/** What a security update of some weeks brings; a heavy month brings all that have two versions. */
const ofSecurityUpdate = [
  ...['openssl', 'libssl3', 'curl', 'libcurl4', 'libcurl3-gnutls', 'libxml2', 'mosquitto', 'libmosquitto1', 'tzdata'],
  ...['libexpat1', 'xz-utils', 'liblzma5', 'ca-certificates'],
];
/** What only installation needs, or one alternative of several. */
const leftOut = ['perl', 'perl-modules-5.36', 'libperl5.36', 'libelogind0', 'elogind', 'valgrind', 'libelogind-compat'];
/** With fewer, the mirror has too little to compare. */
const fewestUpdates = 6;

export interface Versions {
  readonly name: string;
  readonly newest: string;
  /** Absent where the mirror has one version only. */
  readonly before?: string;
}

export interface PackageSets {
  /** Each package in its older version. */
  readonly base: readonly string[];
  readonly security: readonly string[];
  readonly month: readonly string[];
  /** Packages that differ from the base. */
  readonly changed: { readonly security: readonly Versions[]; readonly month: readonly Versions[] };
}

/** @returns three sets of `name=version`. @throws where the mirror has no two versions of enough packages */
export const packageSets = (): PackageSets => {
  const versions = versionsOf(closureOf(roots));
  const withTwo = versions.filter(({ before }) => before !== undefined);
  const security = withTwo.filter(({ name }) => ofSecurityUpdate.includes(name));
  if (security.length < fewestUpdates)
    throw new Error(
      `the mirror has two versions of ${security.length} packages of the security update, ${fewestUpdates} are needed`,
    );
  const setWith = (changed: readonly Versions[]) =>
    versions.map((entry) => `${entry.name}=${changed.includes(entry) ? entry.newest : (entry.before ?? entry.newest)}`);
  return {
    base: setWith([]),
    security: setWith(security),
    month: setWith(withTwo),
    changed: { security, month: withTwo },
  };
};

/** Fetches what is not there yet, in one go. @param wanted `name=version`. @returns the file of each, in order */
export const downloadPackages = (folder: string, wanted: readonly string[]): readonly string[] => {
  mkdirSync(folder, { recursive: true });
  const start = (words: string) => `${words.replace('=', '_').replaceAll(':', '%3a')}_`;
  const missing = (files: readonly string[]) => wanted.filter((words) => !files.some((file) => file.startsWith(start(words))));
  const absent = missing(readdirSync(folder));
  const options = ['-o', 'APT::Sandbox::User=root'];
  if (absent.length > 0) outputOf('apt-get', ['download', '--quiet', ...options, ...absent], { cwd: folder });
  const files = readdirSync(folder);
  const still = missing(files);
  if (still.length > 0) throw new Error(`not downloaded: ${still.join(', ')}`);
  return wanted.map((words) => join(folder, files.find((file) => file.startsWith(start(words))) ?? ''));
};

const closureOf = (names: readonly string[]): readonly string[] => {
  const no = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`);
  const lines = outputOf('apt-cache', ['depends', '--recurse', ...no, ...names]).split('\n');
  return [...new Set(lines.filter((line) => /^[a-z0-9]/.test(line) && !leftOut.includes(line)))].toSorted();
};

/** `apt-cache madison` has the newest first; what it does not have is virtual. */
const versionsOf = (names: readonly string[]): readonly Versions[] => {
  const known = new Map<string, Set<string>>();
  for (const line of outputOf('apt-cache', ['madison', ...names]).split('\n')) {
    const [name, version, origin = ''] = line.split('|').map((part) => part.trim());
    if (name === undefined || version === undefined || !origin.endsWith('Packages')) continue;
    known.set(name, (known.get(name) ?? new Set()).add(version));
  }
  return names.flatMap((name) => {
    const [newest, before] = known.get(name) ?? [];
    return newest === undefined ? [] : [{ name, newest, ...(before === undefined ? {} : { before }) }];
  });
};
