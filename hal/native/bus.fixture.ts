/** For tests: the bus between a program and its software TPM, with somebody on it who listens, and may answer himself. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

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
    const far = connect(target);
    near.on('data', (command) => {
      heard.push(command);
      const given = bus.answer(command);
      if (given === undefined) far.write(command);
      else near.write(given);
    });
    far.on('data', (response) => {
      heard.push(response);
      near.write(response);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  });
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
