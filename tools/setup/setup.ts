/** Installs the Debian packages that are missing, and only those; the plan is told first. */
import type { PackageEntry, PackageTier } from '#agents/cli/packages';
import { onDisk, toFetch } from './apt-plan.ts';

/** What setup asks of a machine. */
export interface SetupMachine {
  readonly isRoot: boolean;
  readonly hasApt: boolean;
  hasFile(path: string): boolean;
  /** What the package manager thinks. */
  hasPackage(name: string): boolean;
  /** Refreshes the lists of packages; false where it cannot. */
  update(): boolean;
  /** What apt-get would do, in its words; changes nothing. */
  simulate(words: readonly string[]): string;
  /** @returns whether it worked; what it said is kept or shown by the machine */
  install(words: readonly string[], plan: string): Promise<boolean>;
}

/** What a tier needs beside its own packages. */
const included: Readonly<Record<PackageTier, readonly PackageTier[]>> = {
  day: [],
  tests: ['day'],
  machine: ['day', 'tests'],
  bench: ['day', 'tests'],
};

export const isPackageTier = (word: string | undefined): word is PackageTier =>
  word !== undefined && Object.hasOwn(included, word);

/**
 * What a tier needs and does not find. A file that is there is enough, whoever put it there; a package without its file
 * is broken and is installed again.
 */
export const missingIn = (
  packages: readonly PackageEntry[],
  tier: PackageTier,
  { hasFile }: Pick<SetupMachine, 'hasFile'>,
): readonly PackageEntry[] => {
  const tiers = [...included[tier], tier];
  return packages.filter((entry) => tiers.includes(entry.tier) && !entry.probes.some((probe) => hasFile(probe)));
};

/** @returns whether everything is there now; says nothing where nothing was missing */
export const setUp = async (
  packages: readonly PackageEntry[],
  tier: PackageTier,
  machine: SetupMachine,
  say: (line: string) => void,
): Promise<boolean> => {
  const missing = missingIn(packages, tier, machine);
  if (missing.length === 0) return true;
  say(missing.length === 1 ? 'one Debian package is missing:' : `${missing.length} Debian packages are missing:`);
  for (const { name, reason } of missing) say(`  ${name.padEnd(18)} ${reason}`);

  if (!machine.hasApt) {
    say('This is no Debian system: install what provides these files by hand, then start again:');
    for (const entry of missing) say(`  ${entry.name}: ${filesOf(entry)}`);
    return false;
  }
  const isBroken = missing.some(({ name }) => machine.hasPackage(name));
  const words = [
    ...['install', '--yes', '--no-install-recommends', ...(isBroken ? ['--reinstall'] : [])],
    ...missing.map(({ name }) => name),
  ];
  const command = `apt-get update && apt-get ${words.join(' ')}`;
  if (!machine.isRoot) {
    say(`Installing needs root. Run this once, then start again:\n  sudo sh -c '${command}'`);
    return false;
  }
  say('apt-get update …');
  if (!machine.update()) say('apt-get update failed; going on with the lists that are here.');
  const plan = machine.simulate(words.filter((word) => word !== '--yes'));
  const sizes = [toFetch(plan), onDisk(plan)].filter((size) => size !== undefined);
  say(sizes.length === 0 ? 'installing …' : `installing (${sizes.join(', ')}) …`);
  if (!(await machine.install(words, plan))) {
    say(`apt-get failed. By hand: ${command}`);
    return false;
  }
  const still = missingIn(packages, tier, machine);
  for (const entry of still) say(`${entry.name} is installed, but ${filesOf(entry)} is not there.`);
  return still.length === 0;
};

const filesOf = ({ probes }: PackageEntry): string => probes.join(' or ');
