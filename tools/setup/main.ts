/**
 * Installs the Debian packages that are missing, and only those.
 *
 * usage: node tools/setup/main.ts day|tests|machine|bench
 * Prints the plan first (names, size). Without root it prints the one command that somebody with root would run, and
 * exits 1. Where nothing is missing it says nothing and changes nothing. All that apt-get says is in build/setup.log.
 */
import { join } from 'node:path';
import { packages } from '#agents/cli/packages';
import { debianMachine } from './debian.ts';
import { isPackageTier, setUp } from './setup.ts';

const [, , wanted] = process.argv;
const say = (line: string) => void process.stderr.write(`${line}\n`);
if (isPackageTier(wanted)) {
  const machine = debianMachine(join(import.meta.dirname, '../../build/setup.log'), say);
  process.exitCode = (await setUp(packages, wanted, machine, say)) ? 0 : 1;
} else {
  say('usage: node tools/setup/main.ts day|tests|machine|bench');
  process.exitCode = 2;
}
