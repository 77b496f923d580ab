/** For tests: the bus between a program and its software TPM, with somebody on it who listens, and may answer himself. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

const reachedWithinMs = 10_000;

export interface Bus extends AsyncDisposable {
  readonly path: string;
  /** Everything that was sent, both ways. */
  heard(): Buffer;
  /** What is given instead of the answer of the TPM; undefined: the answer. */
  answer: (command: Buffer) => Uint8Array | undefined;
}

/** @param target the command socket of swtpm; the addon makes one connection for each command */
export const tapBus = async (target: string, path: string): Promise<Bus> => {
  const heard: Buffer[] = [];
  const server = createServer((near) => {
    near.on('error', () => undefined);
    near.once('data', (command) => {
      heard.push(command);
      const given = bus.answer(command);
      if (given === undefined) pass(command, near).catch(() => near.destroy());
      else near.write(given);
    });
  });
  const pass = async (command: Buffer, near: Socket): Promise<void> => {
    const far = await reach(target);
    far.on('error', () => undefined);
    far.on('data', (response) => {
      heard.push(response);
      near.write(response);
    });
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
    if (near.destroyed) far.destroy();
    else far.write(command);
  };
  server.listen(path);
  await once(server, 'listening');
  const bus: Bus = {
    path,
    heard: () => Buffer.concat(heard),
    answer: () => undefined,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
  return bus;
};

/** swtpm serves one client after the other and lets two wait; whoever is one too many asks again. */
const reach = async (target: string): Promise<Socket> => {
  for (const lateMs = performance.now() + reachedWithinMs; ; await setTimeout(5)) {
    const far = connect(target);
    try {
      await once(far, 'connect');
      return far;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > lateMs) throw error;
    }
  }
};
