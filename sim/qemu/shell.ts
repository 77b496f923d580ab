/** The serial line of a machine as a socket, for whoever wants to sit at it (`enigm-sim shell`). */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { RunningMachine } from './machine.ts';

export const shellPath = (runDirectory: string): string => join(runDirectory, 'shell.sock');

/** @param machine the one that runs; nobody is let in while there is none */
export const serveShell = async (runDirectory: string, machine: () => RunningMachine | undefined): Promise<Server> => {
  const path = shellPath(runDirectory);
  rmSync(path, { force: true });
  const server = createServer((person) => {
    const running = machine();
    if (running === undefined) person.destroy();
    else running.attach(person);
  }).listen(path);
  await once(server, 'listening');
  return server;
};
