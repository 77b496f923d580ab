/**
 * Installs the Debian packages that are missing, and only those.
 *
 * usage: node tools/setup/main.ts day|tests
 * Prints the plan first (names, size). Without root it prints the one command that somebody with root would run, and
 * exits 1. Where nothing is missing it says nothing and changes nothing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type PackageTier, packages } from '../../agents/cli/packages.ts';

const order: readonly PackageTier[] = ['day', 'tests'];
const wanted = process.argv[2] as PackageTier;
if (!order.includes(wanted)) {
  process.stderr.write('usage: node tools/setup/main.ts day|tests\n');
  process.exit(2);
}
const tiers = order.slice(0, order.indexOf(wanted) + 1);
const missing = packages.filter(({ tier, probes }) => tiers.includes(tier) && !probes.some((probe) => existsSync(probe)));
if (missing.length === 0) process.exit(0);

const say = (text: string) => void process.stderr.write(`${text}\n`);
const names = missing.map(({ name }) => name);
say(`${missing.length} Debian packages are missing:`);
for (const { name, reason } of missing) say(`  ${name.padEnd(18)} ${reason}`);

const install = ['install', '--yes', '--no-install-recommends', ...names];
if (!existsSync('/usr/bin/apt-get')) {
  say('This is no Debian system: install what provides these files by hand, then start again:');
  for (const { name, probes } of missing) say(`  ${name}: ${probes.join(' or ')}`);
  process.exit(1);
}
if (process.getuid?.() !== 0) {
  say(`Installing needs root. Run this once, then start again:\n  sudo apt-get update && sudo apt-get ${install.join(' ')}`);
  process.exit(1);
}

const apt = (words: readonly string[], stdio: 'inherit' | 'pipe') =>
  spawnSync('apt-get', words, {
    stdio: stdio === 'pipe' ? 'pipe' : ['ignore', 2, 2],
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });

say('apt-get update …');
apt(['update', '--quiet', '--quiet'], 'inherit');
const planned = /Need to get ([\d.,]+ [kMG]?B)[^\n]*\n(?:After this operation, ([\d.,]+ [kMG]?B))?/.exec(
  apt(['--assume-no', ...install.filter((word) => word !== '--yes')], 'pipe').stdout ?? '',
);
say(
  planned === null
    ? 'installing …'
    : `installing (${planned[1]} to fetch${planned[2] === undefined ? '' : `, ${planned[2]} on disk`}) …`,
);
const { status } = apt(['--quiet', ...install], 'inherit');
if (status !== 0) say('apt-get failed; what it said stands above.');
process.exit(status ?? 1);
