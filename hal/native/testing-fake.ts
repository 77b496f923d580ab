/** For tests: the command socket of a TPM that remembers what it was sent, and answers as it is told, or never. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectory } from './testing.ts';

export interface FakeTpm extends AsyncDisposable {
  readonly path: string;
  /** Each command in hexadecimal. */
  readonly commands: readonly string[];
  /** Until this many commands have come. */
  received(count: number): Promise<void>;
  /** Close the connections of the commands that wait. */
  hangUp(): void;
}

type Answer = Uint8Array | 'hang-up' | undefined;

/** @param answer the bytes of the response, at once or later; undefined: it never comes; 'hang-up': the connection is closed */
export const fakeTpm = async (answer: (command: Buffer) => Answer | Promise<Answer> = () => undefined): Promise<FakeTpm> => {
  const directory = temporaryDirectory();
  const path = join(directory.path, 'tpm');
  const commands: string[] = [];
  const open = new Set<Socket>();
  const hangUp = () => {
    for (const socket of open) socket.destroy();
  };
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', async (command) => {
      commands.push(command.toString('hex'));
      server.emit('command');
      const response = await answer(command);
      if (response === 'hang-up') socket.destroy();
      else if (response !== undefined) socket.write(response);
    });
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    commands,
    received: async (count) => {
      while (commands.length < count) await once(server, 'command');
    },
    hangUp,
    [Symbol.asyncDispose]: async () => {
      hangUp();
      server.close();
      directory[Symbol.dispose]();
    },
  };
};
