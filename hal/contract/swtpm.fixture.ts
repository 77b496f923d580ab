/** A swtpm process for contract tests; the simulator's own is `sim/machine/swtpm.ts`, which nothing in `hal` may import. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const readyWithinMs = 30_000;

export const startSwtpm = async (directory: string) => {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'tpm');
  const child = spawn('setpriv', [
    ...['--pdeathsig', 'KILL', 'swtpm', 'socket', '--tpm2', '--flags', 'not-need-init', '--tpmstate', `dir=${directory}`],
    ...['--server', `type=unixio,path=${path}`, '--ctrl', `type=unixio,path=${path}.ctrl`],
  ]);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const readyByMs = performance.now() + readyWithinMs;
  // A socket has a path before anyone listens there.
  while (!(await listens(path)) || !(await listens(`${path}.ctrl`))) {
    if (performance.now() > readyByMs) throw new Error(`swtpm in ${directory} does not listen (ended: ${child.exitCode})`);
    await setTimeout(20);
  }
  return {
    path,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
};

const listens = async (path: string): Promise<boolean> => {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
};
