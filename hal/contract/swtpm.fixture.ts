/** A swtpm process for contract tests; the simulator's own is `sim/machine/swtpm.ts`, which nothing in `hal` may import. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

export const startSwtpm = async (directory: string) => {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'tpm');
  const child = spawn('setpriv', [
    ...['--pdeathsig', 'KILL', 'swtpm', 'socket', '--tpm2', '--flags', 'not-need-init', '--tpmstate', `dir=${directory}`],
    ...['--server', `type=unixio,path=${path}`, '--ctrl', `type=unixio,path=${path}.ctrl`],
  ]);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  for (let waitedMs = 0; !existsSync(path) && waitedMs < 10_000; waitedMs += 20) await setTimeout(20);
  return {
    path,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
};
