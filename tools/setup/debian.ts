/** The machine that setup runs on. */
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { progressOf } from './apt-plan.ts';
import type { SetupMachine } from './setup.ts';

/** Shown of what apt-get said when it failed. */
const maxShownLines = 30;
const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

/** @param logPath where all that apt-get says is kept */
export const debianMachine = (logPath: string, say: (line: string) => void): SetupMachine => ({
  isRoot: process.getuid?.() === 0,
  hasApt: existsSync('/usr/bin/apt-get'),
  hasFile: existsSync,
  hasPackage: (name) => {
    const query = spawnSync('dpkg-query', ['--show', `--showformat=\${db:Status-Status}`, name], { encoding: 'utf8' });
    return query.status === 0 && query.stdout === 'installed';
  },
  update: () =>
    spawnSync('apt-get', ['update', '--quiet', '--quiet'], { stdio: ['ignore', 2, 2], env: environment }).status === 0,
  simulate: (words) => spawnSync('apt-get', ['--assume-no', ...words], { encoding: 'utf8', env: environment }).stdout ?? '',
  install: async (words, plan) => {
    mkdirSync(dirname(logPath), { recursive: true });
    const log = createWriteStream(logPath);
    const child = spawn('apt-get', ['--quiet', '--option', 'Dpkg::Use-Pty=0', ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    });
    const progress = progressOf(plan);
    child.stderr.pipe(log, { end: false });
    createInterface(child.stdout).on('line', (line) => {
      log.write(`${line}\n`);
      const told = progress(line);
      if (told !== undefined) say(told);
    });
    const status = await new Promise<number | null>((resolve) => child.once('close', resolve).once('error', () => resolve(null)));
    log.end();
    await finished(log);
    if (status === 0) return true;
    say(readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-maxShownLines).join('\n'));
    return false;
  },
});
